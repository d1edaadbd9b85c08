//! Texts that events brought along, as a person sees them. One rule for the terminal, the page and commands that are to be pasted: a name
//! looks the same wherever it is told.

/// The text with all spelled out that is not seen, that a terminal acts on or that turns the direction of writing: `\n`, `\u{202e}`.
/// Marks stay behind what they belong to, as Thai, `ö` in two parts and ❤️ need it; one that begins the text would land on what stands
/// before that.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    let mut before = 0;
    for (at, char) in text.char_indices() {
        let pair = text.get(before..at + char.len_utf8()).unwrap_or_default();
        if stands(pair, char) {
            visible.push(char);
        } else {
            visible.extend(char.escape_debug());
        }
        before = at;
    }
    visible
}

/// Whether a character stays as it is behind the one before it, with which it is a pair. Unlike that of a character alone, `escape_debug`
/// of a text leaves marks but for the first. Of what it spells out only quotes and backslashes end with themselves; they are seen.
fn stands(pair: &str, char: char) -> bool {
    pair.escape_debug().last() == Some(char) && is_seen(pair, char)
}

/// Whether there is something to see of a mark. Joiners and selectors show nothing, but for the two that choose a symbol's style.
fn is_seen(pair: &str, char: char) -> bool {
    match char {
        '\u{fe0e}' | '\u{fe0f}' => !pair.starts_with(|before: char| before.is_ascii() || before.is_alphanumeric()),
        '\u{34f}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{fe00}'..='\u{fe0d}' => false,
        '\u{e0100}'..='\u{e01ef}' => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_reads_stays_as_it_is() {
        for seen in
            ["", "größe", "gro\u{308}ße", "ชื่อผู้ใช้", "नाम", "שָׁלוֹם", "❤\u{fe0f}", "日本", "a\"b'c\\d", "~ \u{1f600}"]
        {
            assert_eq!(visible(seen), seen);
        }
    }

    #[test]
    fn what_is_not_seen_or_acts_upon_what_is_seen_is_spelled_out() {
        for (hidden, told) in [
            ("\u{1b}[2J", "\\u{1b}[2J"),
            ("a\u{7f}\u{9b}\r\n\0", "a\\u{7f}\\u{9b}\\r\\n\\0"),
            ("a\u{202e}\u{2066}\u{200e}\u{61c}", "a\\u{202e}\\u{2066}\\u{200e}\\u{61c}"),
            ("a\u{200b}\u{200d}\u{feff}\u{ad}", "a\\u{200b}\\u{200d}\\u{feff}\\u{ad}"),
            ("a\u{2028}\u{2029}\u{a0}", "a\\u{2028}\\u{2029}\\u{a0}"),
            ("a\u{e0041}\u{e000}", "a\\u{e0041}\\u{e000}"),
            ("a\u{34f}\u{180b}\u{fe00}\u{e0100}", "a\\u{34f}\\u{180b}\\u{fe00}\\u{e0100}"),
            ("plan\u{fe0f}", "plan\\u{fe0f}"),
        ] {
            assert_eq!(visible(hidden), told);
        }
    }

    #[test]
    fn a_mark_at_the_very_beginning_has_nothing_to_stand_on() {
        assert_eq!(visible("\u{308}o\u{308}"), "\\u{308}o\u{308}");
        assert_eq!(visible("\u{fe0f}"), "\\u{fe0f}");
    }

    #[test]
    fn of_all_characters_nothing_but_marks_is_left_that_is_spelled_out_alone() {
        for char in ('\0'..=char::MAX).filter(|char| !"\"'\\".contains(*char)) {
            let (pair, alone) = (String::from_iter(['a', char]), char.escape_debug().len() == 1);
            let left = visible(&pair) == pair;
            assert!(left || !alone, "{char:?} is spelled out though it is seen");
            assert!(!left || !(char.is_control() || char.is_whitespace() && char != ' '), "{char:?}");
            assert_eq!(visible(&char.to_string()).chars().eq([char]), alone, "{char:?}");
        }
    }
}
