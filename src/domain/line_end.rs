//! The line end that editors add at the end of a file. It is no part of a secret that stands there; another one before it is.

/// How long a text is without one line end at its end, `\n` or `\r\n`.
#[must_use]
pub fn len_without(text: &[u8]) -> usize {
    text.strip_suffix(b"\n").map_or(text.len(), |line| line.strip_suffix(b"\r").unwrap_or(line).len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_end_is_left_off_and_nothing_else() {
        for (text, len) in [("", 0), ("\n", 0), ("a\n", 1), ("a\r\n", 1), ("a\r", 2), ("a\n\n", 2), ("\na ", 3)] {
            assert_eq!(len_without(text.as_bytes()), len, "{text:?}");
        }
    }
}
