//! Texts in commands that a person is to paste into a shell. Names come from senders: only what a shell takes as the word that it is
//! becomes part of one.

use std::borrow::Cow;

use super::visible::visible;

/// The text as one word of a POSIX shell: as it is where it is harmless, else between single quotes; `None` where quoting wouldn't
/// do, or a person couldn't see what is pasted. A word that begins with a dash would be taken for an option.
#[must_use]
pub fn word(text: &str) -> Option<Cow<'_, str>> {
    let harmless = |char: char| char.is_ascii_alphanumeric() || "._-/:,@+=".contains(char);
    if text.is_empty() || text.starts_with('-') {
        return None;
    }
    if text.chars().all(harmless) {
        return Some(Cow::Borrowed(text));
    }
    (!text.contains('\'') && visible(text) == text).then(|| Cow::Owned(format!("'{text}'")))
}

/// What fetches the record at this place and explains its event: a topic, a partition and an offset. None where the topic or the brokers
/// are no [`word`].
#[must_use]
pub fn explain((topic, partition, offset): (&str, i32, i64), brokers: &str) -> Option<String> {
    let (topic, brokers) = (word(topic)?, word(brokers)?);
    Some(format!("kcat -C -b {brokers} -t {topic} -p {partition} -o {offset} -c 1 -J | attrsync explain -"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_acts_on_is_quoted_or_left_out() {
        for harmless in ["plan", "2026-10", "kafka:9092,b-1.example:9092", "a/b.toml", "@x"] {
            assert_eq!(word(harmless).as_deref(), Some(harmless));
        }
        for quoted in
            ["$(reboot)", "a;b", "a b", "`id`", "größe", "gro\u{308}ße", "ชื่อ", "❤\u{fe0f}", "a\"b", "a\\b", "~", "*"]
        {
            assert_eq!(word(quoted), Some(Cow::Owned(format!("'{quoted}'"))));
        }
        for refused in ["", "-x", "--yes", "a'b", "a\nb", "\u{1b}[2J", "a\u{202e}b", "a\u{200b}b", "\u{308}o", "a\u{0}"]
        {
            assert_eq!(word(refused), None, "{refused:?}");
        }
    }

    #[test]
    fn a_record_is_explained_by_where_it_stands() {
        assert_eq!(
            explain(("events", 3, 7), "[::1]:9092,b-1.example:9092").as_deref(),
            Some("kcat -C -b '[::1]:9092,b-1.example:9092' -t events -p 3 -o 7 -c 1 -J | attrsync explain -")
        );
        assert!(explain(("it's", 3, 7), "kafka:9092").is_none() && explain(("events", 3, 7), "it's").is_none());
    }
}
