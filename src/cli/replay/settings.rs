//! Under which settings a replay judges: as they are, a file's, as they were at a time, or as they were for each event.

use std::sync::Arc;

use clap::ValueEnum;

use super::ReplayArgs;
use crate::{
    cli::{history, interrupt::Interrupt, moment::now, output::Usage, source::source},
    config::Config,
    replay::{AsJudged, By, Learning, Topics, Wanted},
    store::{Source, Timeline},
};

/// As the settings were for each event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SettingsAs {
    /// Those that judged the event live, as its verdict in the verdict topics tells
    Judged,
    /// As they were when the event came, by its record's timestamp
    Received,
}

impl SettingsAs {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Judged => "--settings-as judged",
            Self::Received => "--settings-as received",
        }
    }
}

/// The settings that were chosen.
pub(super) struct ChosenSettings {
    pub(super) by: By,
    /// Their version, where it is one.
    pub(super) version: Option<u64>,
    /// The version of the policy alone, where each event has settings of its own.
    pub(super) policy_version: Option<u64>,
    /// The flags that chose them, for people.
    pub(super) words: Vec<String>,
}

impl ReplayArgs {
    /// Reads the settings; `None` where it was interrupted.
    pub(super) fn chosen_settings(
        &self,
        config: &Config,
        interrupt: &Interrupt,
    ) -> anyhow::Result<Option<ChosenSettings>> {
        let Some(settings_as) = self.settings_as else {
            let snapshot = self.judge.settings()?.current();
            let (version, words) = (Some(snapshot.version()), self.judge.chosen());
            return Ok(Some(ChosenSettings { by: By::One(snapshot), version, policy_version: None, words }));
        };
        let Source::Database(database) = source(config, Some(now()))? else {
            return Err(Usage::new("what settings were is in a database (settings.source)").into());
        };
        let learnt = match settings_as {
            SettingsAs::Received => None,
            SettingsAs::Judged => match self.learn(config, interrupt)? {
                None => return Ok(None),
                learnt => learnt,
            },
        };
        // After that, which takes its time: what came into use meanwhile is in it.
        let policy = config.policy();
        let loaded = history::unless_interrupted(interrupt, move || Timeline::load(&database, &policy))?;
        let Some(timeline) = loaded.transpose()? else { return Ok(None) };
        let policy_version = timeline.policy_version();
        let by = match learnt {
            None => By::Time(Arc::new(timeline)),
            Some(learnt) => By::Judged(Arc::new(AsJudged::new(learnt.learnt(), timeline))),
        };
        Ok(Some(ChosenSettings { by, version: None, policy_version, words: vec![settings_as.name().to_owned()] }))
    }

    /// Reads the verdict topics.
    fn learn(&self, config: &Config, interrupt: &Interrupt) -> anyhow::Result<Option<Learning>> {
        let topics = [config.kafka.accepted_topic.clone(), config.kafka.rejected_topic.clone()];
        let defaults = self.judge.defaults();
        let open = move |fetching| Topics::open(&topics, &Wanted::default(), fetching, defaults);
        let verdicts = history::look_up(config, interrupt, open)?;
        let learning = Learning::default();
        history::run(Arc::new(verdicts), (interrupt, self.history.limits()), move || learning.clone())
    }
}
