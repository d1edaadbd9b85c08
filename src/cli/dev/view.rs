//! Verdicts on the terminal, a line each, with a footer of what came so far; in a pipe, lines alone.

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal, Write, stderr, stdout},
    time::{Duration, Instant},
};

use anstyle::Style;
use indicatif::{ProgressBar, ProgressStyle};

use super::verdicts::{Refused, User, Verdict};
use crate::{
    cli::{
        output::{BAD, DIM, DOUBTFUL, GOOD, StandardOutput, styled},
        terminal::safe,
    },
    count::words::grouped,
    domain::verdict::Outcome,
};

/// More lines a second than anybody can follow; the footer goes on counting.
const LINES_A_SECOND: u32 = 40;

/// What has been shown.
pub(super) struct View {
    footer: Option<ProgressBar>,
    began: Instant,
    counts: BTreeMap<String, u64>,
    reasons: BTreeMap<String, u64>,
    second: (Instant, u32),
}

impl View {
    /// Nothing yet.
    pub(super) fn new() -> Self {
        let terminal = stdout().is_terminal() && stderr().is_terminal();
        let style =
            ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
        Self {
            footer: terminal.then(|| ProgressBar::no_length().with_style(style)),
            began: Instant::now(),
            counts: BTreeMap::new(),
            reasons: BTreeMap::new(),
            second: (Instant::now(), 0),
        }
    }

    /// How many verdicts there were.
    pub(super) fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Shows one more.
    pub(super) fn show(&mut self, verdict: &Verdict) -> io::Result<()> {
        *self.counts.entry(verdict.verdict.clone()).or_default() += 1;
        if let Some(reason) = &verdict.reason {
            *self.reasons.entry(reason.clone()).or_default() += 1;
        }
        if self.footer.is_some() && !self.followed() {
            return Ok(());
        }
        let line = line(verdict);
        let print = || writeln!(StandardOutput(anstream::stdout()), "{line}");
        self.footer.as_ref().map_or_else(print, |footer| footer.suspend(print))
    }

    /// Whether this line is one that can be followed.
    fn followed(&mut self) -> bool {
        let (began, lines) = &mut self.second;
        if began.elapsed() >= Duration::from_secs(1) {
            (*began, *lines) = (Instant::now(), 0);
        }
        *lines += 1;
        *lines <= LINES_A_SECOND
    }

    /// Brings the footer up to date.
    pub(super) fn tick(&self) {
        if let Some(footer) = &self.footer {
            footer.set_message(format!("{}; ctrl-C ends", self.so_far()));
            footer.tick();
        }
    }

    /// `1,234 verdicts (10 a second): 1,000 accepted, 100 partial, 134 rejected`.
    fn so_far(&self) -> String {
        let seconds = self.began.elapsed().as_secs_f64().max(0.001);
        #[expect(clippy::cast_precision_loss, reason = "fewer than 2^52 verdicts")]
        let rate = self.total() as f64 / seconds;
        let of = |name: &str| grouped(self.counts.get(name).copied().unwrap_or_default());
        let each = Outcome::ALL.map(|outcome| format!("{} {}", of(outcome.name()), outcome.name()));
        format!("{} verdicts ({rate:.0} a second): {}", grouped(self.total()), each.join(", "))
    }

    /// Tells what came, at the end.
    pub(super) fn summary(self) -> io::Result<()> {
        if let Some(footer) = &self.footer {
            footer.finish_and_clear();
        }
        let mut out = StandardOutput(anstream::stdout().lock());
        writeln!(out, "\n{}", self.so_far())?;
        for (reason, number) in &self.reasons {
            writeln!(out, "  {:>10}  {reason}", grouped(*number))?;
        }
        out.flush()
    }
}

/// One verdict: time, organization, user, verdict, proof, and what became of the attributes.
fn line(verdict: &Verdict) -> String {
    let time = verdict.event.time.get(11..23).unwrap_or_default();
    let organization = column(verdict.organization.as_deref().unwrap_or("?"), 8);
    let user = column(named(&verdict.user), 24);
    let (mark, style) = match Outcome::named(&verdict.verdict) {
        Some(Outcome::Accepted) => ("✓", GOOD),
        Some(Outcome::Partial) => ("~", DOUBTFUL),
        Some(Outcome::Rejected) | None => ("✗", BAD),
    };
    let told = styled(style, format_args!("{mark} {:<8}", verdict.verdict));
    let proof = match (verdict.verification.method.as_str(), &verdict.verification.status) {
        ("none", Some(status)) => status.as_str(),
        ("none", None) => "-",
        (method, _) => method,
    };
    format!("{} {organization} {user} {told} {} {}", styled(DIM, time), column(proof, 10), facts(verdict, style))
}

/// A text in a column of this width, cut where it is longer.
fn column(text: &str, width: usize) -> String {
    let text = safe(text);
    if text.chars().count() > width {
        let cut: String = text.chars().take(width - 1).collect();
        return format!("{cut}…");
    }
    format!("{text:<width$}")
}

/// Whom it concerns. The e-mail address first, and not the id that records are keyed by: people know each other by it.
fn named(user: &User) -> &str {
    user.email.as_deref().or(user.user_id.as_deref()).or(user.anonymous_id.as_deref()).unwrap_or("-")
}

fn facts(verdict: &Verdict, style: Style) -> String {
    let mut facts = Vec::new();
    if let Some(reason) = &verdict.reason {
        facts.push(styled(style, reason));
    }
    facts.extend(verdict.hint.iter().map(|hint| hint.message.clone()));
    if let Some(reason) = &verdict.verification.would_reject {
        facts.push(styled(DOUBTFUL, format_args!("would be rejected: {reason}")));
    }
    let refused = |refused: &Refused| format!("{} {}", safe(&refused.attribute), refused.reason);
    let rejected: Vec<_> = verdict.rejected.iter().map(refused).collect();
    if !rejected.is_empty() {
        facts.push(styled(DOUBTFUL, format_args!("rejected {}", rejected.join(", "))));
    }
    let set: Vec<_> = verdict.attributes.keys().map(|name| safe(name)).collect();
    if !set.is_empty() {
        facts.push(format!("set {}", set.join(" ")));
    }
    if let Some(number) = verdict.companies.as_ref().map(Vec::len).filter(|number| *number > 0) {
        facts.push(format!("companies {number}"));
    }
    let dropped: Vec<_> = verdict.dropped.iter().map(|refused| safe(&refused.attribute)).collect();
    if !dropped.is_empty() {
        facts.push(styled(DIM, format_args!("dropped {}", dropped.join(" "))));
    }
    facts.join("; ")
}
