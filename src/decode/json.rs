//! A strict JSON reader (RFC 8259) into the arena: one pass, no heap, every choice that two parsers could make differently
//! turned into an error. It is ours because no library keeps digits as written, refuses duplicate names, bounds depth and
//! borrows texts all at once; a property test holds it equal to `serde_json` in what it accepts and reads.
//!
//! It never recurses deeper than the limit it is given and never panics.

use std::mem;

use crate::domain::{
    Arena, Member, Object, Value,
    arena::ArenaVec,
    text::{outline, plain_len},
};

/// Why a document was refused.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum JsonError<'a> {
    /// It is not JSON, from this byte on.
    Syntax {
        /// The byte's place, from 0.
        byte: usize,
    },
    /// One object has this name twice.
    Duplicate {
        /// The name, escapes resolved.
        name: &'a str,
    },
    /// Containers are nested deeper than the limit; reading stopped at the first that is.
    TooDeep,
}

/// Leaves out the name, which a sender chose.
impl std::fmt::Debug for JsonError<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Syntax { byte } => f.debug_struct("Syntax").field("byte", byte).finish(),
            Self::Duplicate { .. } => f.write_str("Duplicate"),
            Self::TooDeep => f.write_str("TooDeep"),
        }
    }
}

/// Reads one document, with nothing but white space around it. `depth` is the most containers within one another.
///
/// # Errors
/// [`JsonError`]. A duplicate name is told once the document has been read to its end, and of several the one that sorts
/// first: which error it is does not depend on the order of members.
pub fn parse<'a>(arena: &'a Arena, text: &'a str, depth: usize) -> Result<Value<'a>, JsonError<'a>> {
    let (cursor, members) = (Cursor { text, at: 0 }, arena.list_with(32));
    let mut reader = Reader { arena, cursor, members, items: arena.list(), duplicate: None, error: None };
    reader.cursor.skip_blanks();
    let value = reader.value(depth);
    reader.cursor.skip_blanks();
    let byte = reader.cursor.at;
    match (value, reader.error, reader.duplicate) {
        (_, Some(error), _) => Err(error),
        (Ok(value), _, None) if byte == text.len() => Ok(value),
        (Ok(_), _, Some(name)) if byte == text.len() => Err(JsonError::Duplicate { name }),
        _ => Err(JsonError::Syntax { byte }),
    }
}

/// A place in the text. Whoever reads more than a few bytes copies it into a variable of its own, where it is in a register: behind
/// a reference every step goes through memory, and waits there for the step before.
#[derive(Clone, Copy)]
struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Steps over `byte` if it is next.
    #[inline]
    fn take(&mut self, byte: u8) -> bool {
        let next = self.peek() == Some(byte);
        self.at += usize::from(next);
        next
    }

    /// Steps over digits, and says whether there was one.
    #[inline]
    fn take_digits(&mut self) -> bool {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at > start
    }

    /// Steps to the next quote, backslash or control character.
    #[inline]
    fn skip_plain(&mut self) {
        self.at += plain_len(self.text.as_bytes().get(self.at..).unwrap_or_default());
    }

    /// Steps over a text that has no escapes; stays before any other.
    #[inline(always)]
    fn take_plain(&mut self) -> Option<&'a str> {
        let mut ahead = *self;
        if !ahead.take(b'"') {
            return None;
        }
        let start = ahead.at;
        ahead.skip_plain();
        let plain = ahead.text.get(start..ahead.at);
        if !ahead.take(b'"') {
            return None;
        }
        *self = ahead;
        plain
    }
}

/// Reading stopped; [`Reader::error`] says why. It has no size, so that the result of reading a text fits two registers: a larger one
/// goes through memory, and copying it there was a quarter of the time that reading took.
struct Stopped;

/// Members and items of containers still open are kept on two shared stacks, so that each container ends as one
/// exact slice.
struct Reader<'a> {
    arena: &'a Arena,
    cursor: Cursor<'a>,
    members: ArenaVec<'a, Member<'a>>,
    items: ArenaVec<'a, Value<'a>>,
    duplicate: Option<&'a str>,
    error: Option<JsonError<'a>>,
}

impl<'a> Reader<'a> {
    #[cold]
    fn stop(&mut self, error: JsonError<'a>) -> Stopped {
        self.error = Some(error);
        Stopped
    }

    #[cold]
    fn syntax(&mut self, byte: usize) -> Stopped {
        self.stop(JsonError::Syntax { byte })
    }

    fn expect(&mut self, byte: u8) -> Result<(), Stopped> {
        if self.cursor.take(byte) { Ok(()) } else { Err(self.syntax(self.cursor.at)) }
    }

    #[inline]
    fn slice(&mut self, from: usize) -> Result<&'a str, Stopped> {
        match self.cursor.text.get(from..self.cursor.at) {
            Some(slice) => Ok(slice),
            None => Err(self.syntax(from)),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value<'a>, Stopped> {
        match self.cursor.peek() {
            Some(b'"') => {
                let mut cursor = self.cursor;
                let text = self.text(&mut cursor)?;
                self.cursor = cursor;
                Ok(Value::Text(text))
            }
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => self.number(),
        }
    }

    fn word(&mut self, word: &str, value: Value<'a>) -> Result<Value<'a>, Stopped> {
        for byte in word.bytes() {
            self.expect(byte)?;
        }
        Ok(value)
    }

    /// Steps into the container that is next: how many may be within it, where its first member or item is, and whether it has one;
    /// `end` closes it.
    #[inline(always)]
    fn enter(&mut self, depth: usize, end: u8) -> Result<(usize, Cursor<'a>, bool), Stopped> {
        let Some(inner) = depth.checked_sub(1) else { return Err(self.stop(JsonError::TooDeep)) };
        let mut cursor = self.cursor;
        cursor.at += 1;
        cursor.skip_blanks();
        let more = !cursor.take(end);
        Ok((inner, cursor, more))
    }

    fn object(&mut self, depth: usize) -> Result<Value<'a>, Stopped> {
        let (inner, mut cursor, mut more) = self.enter(depth, b'}')?;
        let start = self.members.len();
        while more {
            let name = self.text(&mut cursor)?;
            cursor.skip_blanks();
            if !cursor.take(b':') {
                return Err(self.syntax(cursor.at));
            }
            cursor.skip_blanks();
            let value = self.value_at(&mut cursor, inner)?;
            self.members.push(Member { name, value });
            more = self.has_more(&mut cursor, b'}')?;
        }
        self.cursor = cursor;
        let members = self.arena.slice(self.members.get(start..).unwrap_or_default());
        self.members.truncate(start);
        if let Some(name) = duplicate(self.arena, members) {
            self.duplicate = self.duplicate.min(Some(name)).or(Some(name));
        }
        Ok(Value::Object(Object(members)))
    }

    fn list(&mut self, depth: usize) -> Result<Value<'a>, Stopped> {
        let (inner, mut cursor, mut more) = self.enter(depth, b']')?;
        let start = self.items.len();
        while more {
            let value = self.value_at(&mut cursor, inner)?;
            self.items.push(value);
            more = self.has_more(&mut cursor, b']')?;
        }
        self.cursor = cursor;
        let items = self.arena.slice(self.items.get(start..).unwrap_or_default());
        self.items.truncate(start);
        Ok(Value::List(items))
    }

    /// The value that is next in a container. Most are texts, which stay in registers until they are stored.
    #[inline(always)]
    fn value_at(&mut self, cursor: &mut Cursor<'a>, depth: usize) -> Result<Value<'a>, Stopped> {
        if cursor.peek() == Some(b'"') {
            return self.text(cursor).map(Value::Text);
        }
        self.cursor = *cursor;
        let value = self.value(depth)?;
        *cursor = self.cursor;
        Ok(value)
    }

    /// Steps over what follows on a member or an item; `end` closes the container.
    #[inline(always)]
    fn has_more(&mut self, cursor: &mut Cursor<'a>, end: u8) -> Result<bool, Stopped> {
        cursor.skip_blanks();
        if cursor.take(b',') {
            cursor.skip_blanks();
            return Ok(true);
        }
        if cursor.take(end) { Ok(false) } else { Err(self.syntax(cursor.at)) }
    }

    fn number(&mut self) -> Result<Value<'a>, Stopped> {
        let start = self.cursor.at;
        let mut cursor = self.cursor;
        cursor.take(b'-');
        let mut whole = cursor.take(b'0') || cursor.take_digits();
        if whole && cursor.take(b'.') {
            whole = cursor.take_digits();
        }
        if whole && (cursor.take(b'e') || cursor.take(b'E')) {
            let _sign = cursor.take(b'+') || cursor.take(b'-');
            whole = cursor.take_digits();
        }
        self.cursor = cursor;
        if whole { self.slice(start).map(Value::Number) } else { Err(self.syntax(cursor.at)) }
    }

    #[inline(always)]
    fn text(&mut self, cursor: &mut Cursor<'a>) -> Result<&'a str, Stopped> {
        if let Some(plain) = cursor.take_plain() {
            return Ok(plain);
        }
        self.cursor = *cursor;
        let text = self.escaped()?;
        *cursor = self.cursor;
        Ok(text)
    }

    /// A text with escapes, or none at all.
    #[cold]
    fn escaped(&mut self) -> Result<&'a str, Stopped> {
        self.expect(b'"')?;
        let mut text = self.arena.string();
        loop {
            let plain = self.cursor.at;
            self.cursor.skip_plain();
            text.push_str(self.slice(plain)?);
            match self.cursor.peek() {
                Some(b'"') => break,
                Some(b'\\') => text.push(self.escape()?),
                _ => return Err(self.syntax(self.cursor.at)),
            }
        }
        self.cursor.at += 1;
        Ok(text.into_bump_str())
    }

    fn escape(&mut self) -> Result<char, Stopped> {
        self.cursor.at += 1;
        let character = match self.cursor.peek() {
            Some(escape @ (b'"' | b'\\' | b'/')) => char::from(escape),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err(self.syntax(self.cursor.at)),
        };
        self.cursor.at += 1;
        Ok(character)
    }

    /// `u` and four digits, or a surrogate pair of them; a lone surrogate is no character (RFC 8259 §8.2).
    fn unicode(&mut self) -> Result<char, Stopped> {
        let at = self.cursor.at;
        let first = self.code_unit()?;
        let mut point = first;
        if (0xD800..0xDC00).contains(&first) {
            if !self.cursor.take(b'\\') {
                return Err(self.syntax(at));
            }
            let second = self.code_unit()?;
            if !(0xDC00..0xE000).contains(&second) {
                return Err(self.syntax(at));
            }
            point = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        }
        if point == 0 {
            self.arena.note_nul();
        }
        char::from_u32(point).ok_or_else(|| self.syntax(at))
    }

    fn code_unit(&mut self) -> Result<u32, Stopped> {
        self.expect(b'u')?;
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.cursor.peek().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else { return Err(self.syntax(self.cursor.at)) };
            unit = unit * 16 + digit;
            self.cursor.at += 1;
        }
        Ok(unit)
    }
}

/// Up to here names are compared with one another where they could be equal; more of them are sorted.
const FEW: usize = 32;

/// The name that stands twice, the first of them in order. Sorting keeps a hostile object of a hundred thousand names from
/// costing its square.
fn duplicate<'a>(arena: &'a Arena, members: &[Member<'a>]) -> Option<&'a str> {
    if members.len() <= FEW {
        return duplicate_of_few(members);
    }
    let mut names = arena.list_with(members.len());
    names.extend(members.iter().map(|member| member.name));
    names.sort_unstable();
    names.windows(2).find_map(|pair| match pair {
        [one, other] if one == other => Some(*one),
        _ => None,
    })
}

/// Most names differ in their length or their ends: only those that share these with an earlier one are compared.
fn duplicate_of_few<'a>(members: &[Member<'a>]) -> Option<&'a str> {
    let (mut seen, mut twice) = ([false; 256], None);
    for (at, Member { name, .. }) in members.iter().enumerate() {
        let alike = seen.get_mut(usize::from(outline(name))).is_none_or(|seen| mem::replace(seen, true));
        if alike && members.iter().take(at).any(|earlier| earlier.name == *name) {
            twice = twice.min(Some(*name)).or(Some(*name));
        }
    }
    twice
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, String> {
        let arena = Arena::new();
        match parse(&arena, text, 4) {
            Ok(value) => Ok(serde_json::to_string(&value).unwrap()),
            Err(JsonError::Duplicate { name }) => Err(format!("Duplicate {name:?}")),
            Err(error) => Err(format!("{error:?}")),
        }
    }

    #[test]
    fn reads_every_kind_of_value_and_keeps_digits() {
        let text = r#" {"a":[1,-0.50e+3,true,false,null,"x"],"b":{"c":9007199254740993}} "#;
        assert_eq!(read(text).unwrap(), r#"{"a":[1,-0.50e+3,true,false,null,"x"],"b":{"c":9007199254740993}}"#);
        assert_eq!(read("1e999").unwrap(), "1e999");
    }

    #[test]
    fn resolves_escapes_in_values_and_names() {
        assert_eq!(
            read(r#"{"pl\u0061n":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00 tail"}"#).unwrap(),
            "{\"plan\":\"\\\"\\\\/\\b\\f\\n\\r\\té😀 tail\"}"
        );
    }

    #[test]
    fn a_name_that_stands_twice_is_not_printed() {
        assert_eq!(format!("{:?}", JsonError::Duplicate { name: "ada@example.com" }), "Duplicate");
    }

    #[test]
    fn a_name_twice_is_refused_also_when_escaped() {
        assert_eq!(read(r#"{"a":1,"\u0061":2}"#).unwrap_err(), r#"Duplicate "a""#);
        let many: Vec<String> = (0..100).map(|n| format!("\"n{}\":0", n % 99)).collect();
        assert_eq!(read(&format!("{{{}}}", many.join(","))).unwrap_err(), r#"Duplicate "n0""#);
    }

    #[test]
    fn depth_counts_containers_from_the_root() {
        assert!(read("[[[[]]]]").is_ok());
        assert_eq!(read("[[[[[]]]]]").unwrap_err(), "TooDeep");
        assert_eq!(read(&"[".repeat(1_000_000)).unwrap_err(), "TooDeep");
    }

    #[test]
    fn what_is_not_json_names_the_byte() {
        for (text, byte) in [
            ("", 0),
            ("\u{feff}{}", 0),
            ("{", 1),
            ("{\"a\"}", 4),
            ("{\"a\":}", 5),
            ("{\"a\":1,}", 7),
            ("[1,]", 3),
            ("01", 1),
            ("1.", 2),
            ("-", 1),
            ("1e", 2),
            ("+1", 0),
            ("nul", 3),
            ("\"a", 2),
            ("\"\u{1}\"", 1),
            ("\"\\x\"", 2),
            ("{} {}", 3),
            ("\"\\ud800\"", 2),
            ("\"\\ud800\\u0041\"", 2),
            ("\"\\udc00\"", 2),
            ("\"\\u12g4\"", 5),
            ("NaN", 0),
            ("'a'", 0),
        ] {
            assert_eq!(read(text).unwrap_err(), format!("Syntax {{ byte: {byte} }}"), "{text:?}");
        }
    }
}
