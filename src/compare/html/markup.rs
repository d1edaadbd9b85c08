//! Markup that only we write, and texts that never become any. What stands between tags is a `&'static str` of this crate; whatever an
//! event brought along goes through [`Markup::text`].

use std::fmt::{Display, Write as _};

use crate::domain::visible::visible;

/// A page in the making.
#[derive(Default)]
pub(super) struct Markup(String);

impl Markup {
    /// Markup of our own.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// A text, between tags or in a quoted attribute, as a person may see it.
    pub(super) fn text(&mut self, text: impl Display) -> &mut Self {
        for char in visible(&text.to_string()).chars() {
            match char {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                other => self.0.push(other),
            }
        }
        self
    }

    /// A text of an event, apart from what surrounds it in its direction of writing.
    pub(super) fn foreign(&mut self, text: &str) -> &mut Self {
        self.raw("<bdi>").text(text).raw("</bdi>")
    }

    /// A number of an attribute of SVG.
    pub(super) fn unit(&mut self, number: f64) -> &mut Self {
        // Writing into a text does not fail.
        _ = write!(self.0, "{number:.2}");
        self
    }

    /// The page.
    pub(super) fn finish(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_never_becomes_markup() {
        let mut markup = Markup::default();
        markup.raw("<p title=\"").text("\"><script>&'\u{1b}[2J\u{202e}\r\no\u{308}").raw("\">");
        let expected = "<p title=\"&quot;&gt;&lt;script&gt;&amp;&#39;\\u{1b}[2J\\u{202e}\\r\\no\u{308}\">";
        assert_eq!(markup.finish(), expected);
    }
}
