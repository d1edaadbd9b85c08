//! What events brought along, fit for a terminal.

use crate::domain::visible::visible;

/// The text without what a terminal would act on: control characters could write over what stands there, and others turn
/// the direction of writing.
pub(super) fn safe(text: &str) -> String {
    visible(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_acts_on_is_left() {
        assert_eq!(safe("\"ä\\n\" \u{1b}[2J\r\n\u{9b}\u{202e}"), "\"ä\\n\" \\u{1b}[2J\\r\\n\\u{9b}\\u{202e}");
    }
}
