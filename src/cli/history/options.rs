//! Which events: the options that every command over history has.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use clap::Args;

use super::topic::topic;
use crate::{
    cli::{
        input::Input,
        interrupt::Interrupt,
        judging::{self, event_type},
        moment::moment,
        output::{DOUBTFUL, Interrupted, Usage, styled},
    },
    config::{ClientRole, Config},
    count::words::grouped,
    domain::{EventTime, Reason, Snapshot, shell},
    replay::{
        Defaults, Failure, Fetching, File, Filter, Limits, Offsets, Positions, Rejections, Source, Topics, Wanted,
        WhichRejections,
    },
};

/// Which events of history.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which events")]
pub(in crate::cli) struct HistoryOptions {
    /// Records from a file, one a line, in place of a topic; - for standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["topic", "offsets"])]
    pub(in crate::cli) from_file: Option<PathBuf>,

    /// A topic; may be repeated [default: kafka.input.topics]
    #[arg(long, value_name = "NAME", value_parser = topic)]
    topic: Vec<String>,

    /// Offsets of a partition, the last one included: 0:100-200, 0:100- to the end, 0:100 alone; may be repeated [default: all]
    #[arg(long, value_name = "PARTITION:FROM-TO", value_parser = offsets, value_delimiter = ',')]
    offsets: Vec<Offsets>,

    /// Events from this time on: a date, RFC 3339, or how long ago, as in 7d
    #[arg(long, visible_alias = "since", value_name = "TIME", value_parser = moment)]
    from: Option<EventTime>,

    /// Events before this time
    #[arg(long, value_name = "TIME", value_parser = moment)]
    to: Option<EventTime>,

    /// Events of this organization, by its slug or its app id
    #[arg(long, value_name = "SLUG")]
    organization: Option<String>,

    /// Events of this type: boot, identify, or a widget's init_… or initialize_…
    #[arg(long, value_name = "TYPE", value_parser = event_type)]
    event_type: Option<String>,

    /// Go no faster than so many events a second [default: as fast as it goes]
    #[arg(long, value_name = "EVENTS", value_parser = above_zero)]
    max_rate: Option<f64>,

    /// Take no more than so many percent of one core, as in 50, or 200 for two [default: all cores]
    #[arg(long, value_name = "PERCENT", value_parser = above_zero)]
    max_cpu: Option<f64>,
}

/// Which of them, by what became of them or by whom they are about: such events say nothing of all others.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which events")]
pub(in crate::cli) struct PickOptions {
    /// The events behind earlier rejections: finds where they are in the rejected topic, and fetches just those
    #[arg(long, group = "rejections", conflicts_with_all = ["from_file", "topic", "offsets"])]
    rejected: bool,

    /// Rejections for this reason, of the event or of an attribute, as in locked; may be repeated
    #[arg(long, value_name = "CODE", requires = "rejections", value_parser = reason, value_delimiter = ',')]
    reason: Vec<Reason>,

    /// Events about this user: an id, an e-mail or a visitor's id
    #[arg(long, value_name = "USER")]
    user: Option<String>,
}

/// What is chosen: which events, and which of them.
#[derive(Clone, Copy)]
pub(in crate::cli) struct Choice<'c> {
    /// Which events.
    pub(in crate::cli) history: &'c HistoryOptions,
    picked: &'c PickOptions,
}

/// The history that was chosen.
pub(in crate::cli) struct Chosen {
    /// Where it is.
    pub(in crate::cli) source: Arc<dyn Source>,
    /// Which of its events; asked by the work, after the judgement.
    pub(in crate::cli) filter: Filter,
    /// The topics, where it is in Kafka.
    topics: Option<Arc<Topics>>,
    /// How many events were rejected, where those are asked for.
    rejected: Option<u64>,
}

impl Chosen {
    /// Offsets that were asked for and are no longer kept.
    pub(in crate::cli) fn gone(&self) -> u64 {
        self.topics.as_ref().map_or(0, |topics| topics.gone())
    }

    /// Offsets that were asked for and that come after their partition's end.
    pub(in crate::cli) fn beyond(&self) -> u64 {
        self.topics.as_ref().map_or(0, |topics| topics.beyond())
    }

    /// Bytes that came from the brokers.
    pub(in crate::cli) fn fetched_bytes(&self) -> Option<u64> {
        self.topics.as_ref().map(|topics| topics.fetched_bytes())
    }

    /// Events behind rejections that are no longer there.
    pub(in crate::cli) fn not_found(&self) -> Option<u64> {
        let handed_out = self.topics.as_ref()?.handed_out();
        self.rejected.map(|rejected| rejected.saturating_sub(handed_out))
    }

    /// Events that were asked for and are no longer there, whichever way they were asked for.
    pub(in crate::cli) fn missing(&self) -> u64 {
        self.not_found().unwrap_or_else(|| self.gone())
    }
}

impl HistoryOptions {
    /// All of them.
    pub(in crate::cli) fn all(&self) -> Choice<'_> {
        static ALL: PickOptions = PickOptions { rejected: false, reason: Vec::new(), user: None };
        self.picked(&ALL)
    }

    /// These of them.
    pub(in crate::cli) fn picked<'c>(&'c self, picked: &'c PickOptions) -> Choice<'c> {
        Choice { history: self, picked }
    }

    /// The flags that choose the same events, of whichever organization, each after a space; none where they can't stand in a shell's
    /// line.
    pub(in crate::cli) fn flags_for_a_shell(&self) -> Option<String> {
        let mut flags = String::new();
        if let Some(file) = &self.from_file {
            flags += " --from-file ";
            flags += &if file == Path::new("-") { "-".into() } else { shell::word(file.to_str()?)? };
        }
        for topic in &self.topic {
            flags += &format!(" --topic {}", shell::word(topic)?);
        }
        for offsets in &self.offsets {
            flags += &format!(" --offsets {offsets}");
        }
        for (flag, time) in [("from", self.from), ("to", self.to)] {
            flags += &time.map(|time| format!(" --{flag} {time}")).unwrap_or_default();
        }
        if let Some(kind) = &self.event_type {
            flags += &format!(" --event-type {}", shell::word(kind)?);
        }
        Some(flags)
    }

    /// Why what is read may be less than all events of its time; none where it is all of them.
    pub(in crate::cli) fn part(&self) -> Option<&'static str> {
        if self.event_type.is_some() {
            Some("events of one type alone were looked at; leave --event-type out for all")
        } else if !self.offsets.is_empty() {
            Some("some offsets alone were looked at; leave --offsets out for all, or choose with --from and --to")
        } else {
            None
        }
    }

    /// Between a time and an earlier one there is nothing: whoever asks for that meant something else.
    fn refuse_backwards(&self) -> Result<(), Usage> {
        match (self.from, self.to) {
            (Some(from), Some(to)) if from > to => Err(Usage::new("--from is later than --to; exchange them")),
            _ => Ok(()),
        }
    }

    /// How fast it may go.
    pub(in crate::cli) fn limits(&self) -> Limits {
        Limits { rate: self.max_rate, cpu: self.max_cpu }
    }

    /// The flags of that for a shell's line, each after a space.
    pub(in crate::cli) fn limits_for_a_shell(&self) -> String {
        let rate = self.max_rate.map(|rate| format!(" --max-rate {rate}"));
        let cpu = self.max_cpu.map(|percent| format!(" --max-cpu {percent}"));
        rate.into_iter().chain(cpu).collect()
    }

    /// Which records of the topics.
    pub(in crate::cli) fn wanted(&self) -> Wanted {
        Wanted { offsets: self.offsets.clone(), from: self.from, to: self.to }
    }

    /// The topics, each once.
    pub(in crate::cli) fn topics(&self, config: &Config) -> anyhow::Result<Vec<String>> {
        let named = if self.topic.is_empty() { &config.kafka.input.topics } else { &self.topic };
        let mut topics = Vec::new();
        for topic in named {
            if !topics.contains(topic) {
                topics.push(topic.clone());
            }
        }
        let verdicts = [&config.kafka.accepted_topic, &config.kafka.rejected_topic];
        if let Some(topic) = topics.iter().find(|topic| verdicts.contains(topic)) {
            let wrong = format!(
                "{topic} holds verdicts, not events; replay --rejected judges the events behind rejections again"
            );
            return Err(Usage::new(wrong).into());
        }
        if topics.len() > 1 && !self.offsets.is_empty() {
            let wrong = format!("--offsets are of one topic, and {} are read; name it with --topic", topics.join(", "));
            return Err(Usage::new(wrong).into());
        }
        Ok(topics)
    }
}

impl Choice<'_> {
    /// Opens the history that was chosen.
    pub(in crate::cli) fn open(
        &self,
        config: &Config,
        interrupt: &Interrupt,
        defaults: Defaults,
    ) -> anyhow::Result<Chosen> {
        self.history.refuse_backwards()?;
        let filter = self.filter();
        if let Some(file) = &self.history.from_file {
            let input = Input::open(file)?;
            let source = File::new((input.name, input.bytes), input.reader, &config.policy(), defaults);
            return Ok(Chosen { source: Arc::new(source), filter, topics: None, rejected: None });
        }
        let (topics, rejected) = self.open_topics(config, interrupt, defaults)?;
        let topics = Arc::new(topics);
        // Which record of a topic is the first of a time, the broker says: what it found is all that is asked for.
        let filter = Filter { from: None, to: None, ..filter };
        Ok(Chosen { source: Arc::clone(&topics) as Arc<dyn Source>, filter, topics: Some(topics), rejected })
    }

    /// Opens topics that were chosen; and how many events were rejected, where those are asked for.
    pub(in crate::cli) fn open_topics(
        &self,
        config: &Config,
        interrupt: &Interrupt,
        defaults: Defaults,
    ) -> anyhow::Result<(Topics, Option<u64>)> {
        self.history.refuse_backwards()?;
        if !self.picked.rejected {
            let (topics, wanted) = (self.history.topics(config)?, self.history.wanted());
            let open = move |fetching| Topics::open(&topics, &wanted, fetching, defaults);
            return Ok((look_up(config, interrupt, open)?, None));
        }
        let positions = self.rejections(config, interrupt, defaults.clone())?;
        let topics = look_up(config, interrupt, move |fetching| Topics::at(positions, fetching, defaults))?;
        let rejected = topics.size().unwrap_or(0) + topics.gone();
        Ok((topics, Some(rejected)))
    }

    /// Where the rejected events are.
    fn rejections(&self, config: &Config, interrupt: &Interrupt, defaults: Defaults) -> anyhow::Result<Positions> {
        let (name, wanted) = (config.kafka.rejected_topic.clone(), self.history.wanted());
        let open = move |fetching| Topics::open(&[name], &wanted, fetching, defaults);
        let topic = Arc::new(look_up(config, interrupt, open)?);
        let work = Rejections::new(WhichRejections {
            reasons: self.picked.reason.clone(),
            organization: self.history.organization.clone(),
            event_type: self.history.event_type.clone(),
        });
        let held = (interrupt, self.history.limits());
        let found = super::run(Arc::clone(&topic) as Arc<dyn Source>, held, move || work.clone())?;
        let found = found.ok_or(Interrupted)?.found();
        if topic.gone() > 0 {
            let (gone, name) = (grouped(topic.gone()), &config.kafka.rejected_topic);
            let told = format!(
                "{gone} offsets of {name} that were asked for are past retention: the events behind those are not looked for"
            );
            writeln!(anstream::stderr(), "{}", styled(DOUBTFUL, &told))?;
        }
        Ok(found)
    }

    /// The slug of the organization whose events are asked for, by that or by its app id, in any of these settings; none where all are.
    pub(in crate::cli) fn slug(&self, settings: &[&Snapshot]) -> anyhow::Result<Option<String>> {
        let Some(asked) = self.history.organization.as_deref() else { return Ok(None) };
        let mut found = settings.iter().map(|snapshot| judging::organization(snapshot, asked));
        let first = found.next().with_context(|| format!("no settings have {asked}"))?;
        let slug = found.fold(first, Result::or)?.slug.to_string();
        if self.picked.rejected && slug != asked {
            // They are looked for by what they say themselves.
            return Err(
                Usage::new(format!("rejections name their organization by its slug: --organization {slug}")).into()
            );
        }
        Ok(Some(slug))
    }

    /// Which events.
    pub(in crate::cli) fn filter(&self) -> Filter {
        let HistoryOptions { organization, event_type, from, to, .. } = self.history;
        Filter {
            organization: organization.clone(),
            event_type: event_type.clone(),
            user: self.picked.user.clone(),
            from: *from,
            to: *to,
        }
    }
}

/// Looks topics up, unless ctrl-C comes first: where no broker answers, that takes its time.
pub(in crate::cli) fn look_up(
    config: &Config,
    interrupt: &Interrupt,
    open: impl FnOnce(Fetching) -> Result<Topics, Failure> + Send + 'static,
) -> anyhow::Result<Topics> {
    let fetching = fetching(config);
    let found = super::unless_interrupted(interrupt, move || open(fetching))?.ok_or(Interrupted)?;
    found.map_err(|failure| away(failure, config))
}

/// How records are fetched: by the worker's own properties.
pub(in crate::cli) fn fetching(config: &Config) -> Fetching {
    Fetching {
        consumer: config.kafka.client(ClientRole::Consumer),
        queue_bytes: usize::try_from(config.worker.fetch_queue_bytes).unwrap_or(usize::MAX),
        threads: usize::try_from(config.worker.shards).ok().filter(|shards| *shards > 0),
    }
}

/// Names the brokers where none of them answers.
fn away(failure: Failure, config: &Config) -> anyhow::Error {
    let silent = matches!(&failure, Failure::LookUp { source, .. } if source.is_silence());
    let error = anyhow::Error::new(failure);
    if silent {
        let brokers = &config.kafka.bootstrap_servers;
        return error
            .context(format!("no broker of {brokers} answers; --brokers names others (kafka.bootstrap_servers)"));
    }
    error
}

fn reason(text: &str) -> Result<Reason, String> {
    Reason::named(text).ok_or_else(|| "no such reason; docs/REASONS.md lists all".to_owned())
}

fn above_zero(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0);
    number.ok_or_else(|| "expected a number above zero".to_owned())
}

/// `0:100-200`, `0:100-`, `0:100`.
fn offsets(text: &str) -> Result<Offsets, String> {
    let read = || {
        let (partition, range) = text.split_once(':')?;
        let (first, last) = match range.split_once('-') {
            None => (range, Some(range.parse().ok()?)),
            Some((first, "")) => (first, None),
            Some((first, last)) => (first, Some(last.parse().ok()?)),
        };
        let offsets = Offsets { partition: partition.parse().ok()?, first: first.parse().ok()?, last };
        let sound =
            offsets.partition >= 0 && offsets.first >= 0 && offsets.last.is_none_or(|last| last >= offsets.first);
        sound.then_some(offsets)
    };
    read().ok_or_else(|| "expected PARTITION:FROM-TO, as in 0:100-200, 0:100- or 0:100".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A command line of these options alone.
    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        history: HistoryOptions,
    }

    #[test]
    fn the_flags_for_a_shell_choose_the_same_events_again() {
        let parse = |words: &[&str]| {
            <Line as clap::Parser>::try_parse_from([&["x"], words].concat()).unwrap().history.flags_for_a_shell()
        };
        assert_eq!(parse(&[]).as_deref(), Some(""));
        assert_eq!(parse(&["--from-file", "-"]).as_deref(), Some(" --from-file -"));
        assert_eq!(parse(&["--from-file", "a b.ndjson"]).as_deref(), Some(" --from-file 'a b.ndjson'"));
        assert_eq!(parse(&["--from-file", "it's"]), None, "no shell's word");
        for words in [
            "--topic a --topic b --from 2026-11-22T10:00:00.000Z --to 2026-11-23T00:00:00.000Z --event-type boot",
            "--topic a --offsets 0:1-2 --offsets 1:7-",
        ] {
            assert_eq!(parse(&words.split(' ').collect::<Vec<_>>()), Some(format!(" {words}")));
        }
    }

    #[test]
    fn offsets_are_a_range_an_open_one_or_one_alone() {
        let of = |first, last| Ok(Offsets { partition: 3, first, last });
        assert_eq!(offsets("3:100-200"), of(100, Some(200)));
        assert_eq!(offsets("3:100-"), of(100, None));
        assert_eq!(offsets("3:7"), of(7, Some(7)));
        for text in ["", "3", "3:", "3:-", "3:-5", "-1:0", "3:9-8", "x:1", "3:1-2-3", "3:1.5"] {
            assert!(offsets(text).is_err(), "{text}");
        }
    }
}
