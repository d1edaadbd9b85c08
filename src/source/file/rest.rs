//! What exceeds the longest line: read and counted, so that its size can be told, and kept nowhere.

use std::io::{self, BufRead, ErrorKind};

/// Reads to the end of the line. How many bytes there were before it.
pub(super) fn of_line(input: &mut impl BufRead) -> io::Result<usize> {
    let (mut bytes, mut last) = (0, None);
    loop {
        let buffer = match input.fill_buf() {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            buffer => buffer?,
        };
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let part = &buffer[..end.unwrap_or(buffer.len())];
        bytes += part.len();
        last = part.last().copied().or(last);
        let (read, at_end) = (part.len() + usize::from(end.is_some()), end.is_some() || buffer.is_empty());
        input.consume(read);
        if at_end {
            return Ok(bytes - usize::from(last == Some(b'\r')));
        }
    }
}

/// Reads to the end of the input. How many bytes there were up to the last that is no blank.
///
/// # Errors
/// The input's own.
pub fn of_input(input: &mut impl BufRead) -> io::Result<usize> {
    let (mut bytes, mut counted) = (0, 0);
    loop {
        let buffer = match input.fill_buf() {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            buffer => buffer?,
        };
        if buffer.is_empty() {
            return Ok(counted);
        }
        if let Some(last) = buffer.iter().rposition(|byte| !byte.is_ascii_whitespace()) {
            counted = bytes + last + 1;
        }
        bytes += buffer.len();
        let read = buffer.len();
        input.consume(read);
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    #[test]
    fn what_is_left_is_counted_but_for_the_blanks_at_its_end() {
        for (text, expected) in [("", 0), ("\n \n", 0), ("a\n b\n", 4), ("\n1", 2), ("one\n    \n \r\n", 3)] {
            let mut input = BufReader::with_capacity(3, text.as_bytes());
            assert_eq!(of_input(&mut input).unwrap(), expected, "{text:?}");
        }
    }
}
