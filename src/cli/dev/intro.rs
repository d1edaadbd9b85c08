//! What is told at the beginning: where everything is, and what can be done with it.

use std::borrow::Cow;

use crate::{
    cli::output::{DIM, GOOD, styled},
    config::Config,
    domain::shell,
    store::{Settings, Source},
};

/// The file with the sample settings.
const SAMPLES: &str = "settings.example.toml";

/// What there is beside the worker.
pub(super) struct Shown {
    /// Events a second, where traffic is made.
    pub(super) rate: Option<u32>,
    /// Where the dashboard is, where there is one.
    pub(super) dashboard: Option<String>,
}

/// The text of it.
pub(super) fn text(config: &Config, settings: &Settings, shown: &Shown) -> String {
    let kafka = &config.kafka;
    let (broker, input) = (&kafka.bootstrap_servers, kafka.input.topics.join(", "));
    let (accepted, rejected) = (&kafka.accepted_topic, &kafka.rejected_topic);
    let snapshot = settings.current();
    let mut organizations: Vec<_> = snapshot.organizations().map(|organization| organization.slug.as_str()).collect();
    organizations.sort_unstable();
    let traffic = match shown.rate {
        None => "none; send your own".to_owned(),
        Some(rate) => format!("{rate} events a second: signed, forged, expired, hashed, locked, unconfigured, broken"),
    };
    let mut text = format!("{}\n", styled(GOOD.bold(), "attrsync dev"));
    for (name, what) in [
        ("broker", format!("{broker}, embedded: no transactions, so verdicts come at least once; gone when this ends")),
        (
            "",
            "it looks up no times and tells no topic's settings: --since and topics check find nothing there"
                .to_owned(),
        ),
        ("in", input.clone()),
        ("out", format!("{accepted}, {rejected}")),
        ("settings", format!("{}, organizations {}", settings.source(), organizations.join(", "))),
        ("traffic", traffic),
        ("dashboard", shown.dashboard.clone().unwrap_or_else(|| "none".to_owned())),
    ] {
        text += &format!("  {} {what}\n", styled(DIM, format_args!("{name:<9}")));
    }
    text += "\nSend to it and read from it with kcat or any other client:\n";
    for command in [
        format!(
            r#"echo '{{"organization":"acme","userId":"1"}}' | kcat -P -b {broker} -t {input} -H ce_type=identify"#
        ),
        format!("kcat -C -b {broker} -t {rejected} -o beginning"),
        format!("kcat -C -b {broker} -t {input} -o -1 -c 1 -J | attrsync explain - --settings {}", file(settings)),
    ] {
        text += &format!("  {command}\n");
    }
    if let Source::Embedded(_) = settings.source() {
        text += &format!("{SAMPLES} is in the repository, and in share/doc/attrsync of a package.\n");
    }
    text + "\nThe worker joins its consumer group, which takes the embedded broker three seconds.\n\n"
}

/// The settings file, as a word of a shell's line.
fn file(settings: &Settings) -> Cow<'_, str> {
    match settings.source() {
        Source::File(path) => path.to_str().and_then(shell::word).unwrap_or(Cow::Borrowed("FILE")),
        Source::Embedded(_) | Source::Database(_) => Cow::Borrowed(SAMPLES),
    }
}
