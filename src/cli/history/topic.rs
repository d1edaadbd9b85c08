//! The name of a topic on the command line.

use crate::config::{TOPIC_NAME, is_topic};

/// The name of a topic, by the rule that the configuration has for those that it names: of any other there is none, and nobody is asked.
pub(in crate::cli) fn topic(text: &str) -> Result<String, String> {
    if is_topic(text) { Ok(text.to_owned()) } else { Err(TOPIC_NAME.to_owned()) }
}
