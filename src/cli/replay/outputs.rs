//! The topics that a replay writes to: there, not read from, and the live ones only where that was said.

use crate::{
    cli::{history::topic, output::Usage, run::worker_options},
    config::Config,
    worker::{Delivery, Options},
};

/// The worker's options with a replay's topics. Exactly once whatever the worker's delivery is: what a replay that is resumed doesn't
/// double has no other way.
pub(super) fn options(config: &Config, (accepted, rejected): (&str, &str)) -> Options {
    let mut options = worker_options(config);
    options.delivery = Delivery::ExactlyOnce;
    accepted.clone_into(&mut options.outputs.accepted);
    rejected.clone_into(&mut options.outputs.rejected);
    options
}

/// The two topics of `NAME`, or of two names.
pub(super) fn named(text: &str) -> Result<(String, String), String> {
    match text.split(',').collect::<Vec<_>>().as_slice() {
        [accepted, rejected] if accepted != rejected => Ok((topic(accepted)?, topic(rejected)?)),
        [name] if !name.is_empty() => Ok((topic(&format!("{name}.accepted"))?, topic(&format!("{name}.rejected"))?)),
        _ => Err("expected a NAME, for NAME.accepted and NAME.rejected, or two topics as in A,B".to_owned()),
    }
}

/// Refuses topics in which a replay's verdicts would be taken for something else.
pub(super) fn check(config: &Config, (accepted, rejected): (&str, &str), read: &[String]) -> Result<(), Usage> {
    let live = [config.kafka.accepted_topic.as_str(), config.kafka.rejected_topic.as_str()];
    if let Some(topic) = [accepted, rejected].into_iter().find(|topic| live.contains(topic)) {
        let wrong = format!("{topic} is a live topic; --into-live replays into those, or name others with --to-topics");
        return Err(Usage::new(wrong));
    }
    if let Some(topic) = [accepted, rejected].into_iter().find(|topic| read.iter().any(|read| read == topic)) {
        return Err(Usage::new(format!("{topic} is read from and written to; name other topics with --to-topics")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_two_topics_and_two_names_are_themselves() {
        let two = |accepted: &str, rejected: &str| Ok((accepted.to_owned(), rejected.to_owned()));
        assert_eq!(named("november"), two("november.accepted", "november.rejected"));
        assert_eq!(named("a,b"), two("a", "b"));
        for text in ["", ",", "a,", ",b", "a,a", "a,b,c", "a b", "a,b c", &"x".repeat(241)] {
            assert!(named(text).is_err(), "{text}");
        }
    }
}
