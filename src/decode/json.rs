//! A strict JSON reader (RFC 8259) into the arena: one pass, no heap, every choice that two parsers could make differently
//! turned into an error. It is ours because no library keeps digits as written, refuses duplicate names, bounds depth and
//! borrows texts all at once; a property test holds it equal to `serde_json` in what it accepts and reads.
//!
//! It never recurses deeper than the limit it is given and never panics.

use crate::domain::{Arena, Member, Object, Value, arena::ArenaVec};

/// Why a document was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// Reads one document, with nothing but white space around it. `depth` is the most containers within one another.
///
/// # Errors
/// [`JsonError`]. A duplicate name is told once the document has been read to its end, and of several the one that sorts
/// first: which error it is does not depend on the order of members.
pub fn parse<'a>(arena: &'a Arena, text: &'a str, depth: usize) -> Result<Value<'a>, JsonError<'a>> {
    let mut reader = Reader { arena, text, at: 0, members: arena.list_with(32), items: arena.list(), duplicate: None };
    reader.skip_blanks();
    let value = reader.value(depth)?;
    reader.skip_blanks();
    match reader.duplicate {
        _ if reader.at != text.len() => Err(reader.syntax()),
        Some(name) => Err(JsonError::Duplicate { name }),
        None => Ok(value),
    }
}

/// Members and items of containers still open are kept on two shared stacks, so that each container ends as one
/// exact slice.
struct Reader<'a> {
    arena: &'a Arena,
    text: &'a str,
    at: usize,
    members: ArenaVec<'a, Member<'a>>,
    items: ArenaVec<'a, Value<'a>>,
    duplicate: Option<&'a str>,
}

impl<'a> Reader<'a> {
    fn syntax(&self) -> JsonError<'a> {
        JsonError::Syntax { byte: self.at }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Steps over `byte` if it is next.
    fn take(&mut self, byte: u8) -> bool {
        let next = self.peek() == Some(byte);
        self.at += usize::from(next);
        next
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonError<'a>> {
        if self.take(byte) { Ok(()) } else { Err(self.syntax()) }
    }

    fn slice(&self, from: usize) -> Result<&'a str, JsonError<'a>> {
        self.text.get(from..self.at).ok_or(JsonError::Syntax { byte: from })
    }

    fn value(&mut self, depth: usize) -> Result<Value<'a>, JsonError<'a>> {
        match self.peek() {
            Some(b'"') => self.string().map(Value::Text),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => self.number(),
        }
    }

    fn word(&mut self, word: &str, value: Value<'a>) -> Result<Value<'a>, JsonError<'a>> {
        for byte in word.bytes() {
            self.expect(byte)?;
        }
        Ok(value)
    }

    fn object(&mut self, depth: usize) -> Result<Value<'a>, JsonError<'a>> {
        let inner = depth.checked_sub(1).ok_or(JsonError::TooDeep)?;
        let start = self.members.len();
        self.at += 1;
        self.skip_blanks();
        if !self.take(b'}') {
            loop {
                let name = self.string()?;
                self.skip_blanks();
                self.expect(b':')?;
                self.skip_blanks();
                let value = self.value(inner)?;
                self.members.push(Member { name, value });
                self.skip_blanks();
                if self.take(b'}') {
                    break;
                }
                self.expect(b',')?;
                self.skip_blanks();
            }
        }
        let members = self.arena.slice(self.members.get(start..).unwrap_or_default());
        self.members.truncate(start);
        if let Some(name) = duplicate(self.arena, members) {
            self.duplicate = self.duplicate.min(Some(name)).or(Some(name));
        }
        Ok(Value::Object(Object(members)))
    }

    fn list(&mut self, depth: usize) -> Result<Value<'a>, JsonError<'a>> {
        let inner = depth.checked_sub(1).ok_or(JsonError::TooDeep)?;
        let start = self.items.len();
        self.at += 1;
        self.skip_blanks();
        if !self.take(b']') {
            loop {
                let value = self.value(inner)?;
                self.items.push(value);
                self.skip_blanks();
                if self.take(b']') {
                    break;
                }
                self.expect(b',')?;
                self.skip_blanks();
            }
        }
        let items = self.arena.slice(self.items.get(start..).unwrap_or_default());
        self.items.truncate(start);
        Ok(Value::List(items))
    }

    fn number(&mut self) -> Result<Value<'a>, JsonError<'a>> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _sign = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        self.slice(start).map(Value::Number)
    }

    fn digits(&mut self) -> Result<(), JsonError<'a>> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.syntax()) } else { Ok(()) }
    }

    fn string(&mut self) -> Result<&'a str, JsonError<'a>> {
        self.expect(b'"')?;
        let start = self.at;
        self.skip_plain();
        match self.peek() {
            Some(b'"') => {
                let text = self.slice(start)?;
                self.at += 1;
                Ok(text)
            }
            Some(b'\\') => self.escaped(start),
            _ => Err(self.syntax()),
        }
    }

    /// Steps to the next quote, backslash or control character.
    fn skip_plain(&mut self) {
        self.at += plain_len(self.text.as_bytes().get(self.at..).unwrap_or_default());
    }

    /// The rest of a string whose first escape is next.
    #[cold]
    fn escaped(&mut self, start: usize) -> Result<&'a str, JsonError<'a>> {
        let mut text = self.arena.string();
        text.push_str(self.slice(start)?);
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text.into_bump_str());
                }
                Some(b'\\') => text.push(self.escape()?),
                _ => return Err(self.syntax()),
            }
            let plain = self.at;
            self.skip_plain();
            text.push_str(self.slice(plain)?);
        }
    }

    fn escape(&mut self) -> Result<char, JsonError<'a>> {
        self.at += 1;
        let escape = self.peek().ok_or_else(|| self.syntax())?;
        let character = match escape {
            b'"' | b'\\' | b'/' => char::from(escape),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            _ => return Err(self.syntax()),
        };
        self.at += 1;
        Ok(character)
    }

    /// `u` and four digits, or a surrogate pair of them; a lone surrogate is no character (RFC 8259 §8.2).
    fn unicode(&mut self) -> Result<char, JsonError<'a>> {
        let at = self.at;
        let lone = JsonError::Syntax { byte: at };
        let first = self.code_unit()?;
        if !(0xD800..0xDC00).contains(&first) {
            return char::from_u32(first).ok_or(lone);
        }
        if !self.take(b'\\') {
            return Err(lone);
        }
        let second = self.code_unit()?;
        if !(0xDC00..0xE000).contains(&second) {
            return Err(lone);
        }
        char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)).ok_or(lone)
    }

    fn code_unit(&mut self) -> Result<u32, JsonError<'a>> {
        self.expect(b'u')?;
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16)).ok_or_else(|| self.syntax())?;
            unit = unit * 16 + digit;
            self.at += 1;
        }
        Ok(unit)
    }
}

/// How many bytes come before the first quote, backslash or control character, eight at a time.
fn plain_len(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = ONES << 7;
    // Sets the high bit of each byte that is zero; of bytes above the first such one it may set more.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
    let mut len = 0;
    while let Some(chunk) = bytes.get(len..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*chunk);
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let stop = (control | zeros(word ^ (ONES * b'"' as u64)) | zeros(word ^ (ONES * b'\\' as u64))) & HIGH;
        if stop != 0 {
            return len + stop.trailing_zeros() as usize / 8;
        }
        len += 8;
    }
    let rest = bytes.get(len..).unwrap_or_default();
    len + rest.iter().take_while(|&&byte| byte >= 0x20 && byte != b'"' && byte != b'\\').count()
}

/// Up to here comparing each with each is the quickest.
const FEW: usize = 16;

/// The name that stands twice, the first of them in order. Sorting keeps a hostile object of a hundred thousand names from costing its square.
fn duplicate<'a>(arena: &'a Arena, members: &[Member<'a>]) -> Option<&'a str> {
    if members.len() <= FEW {
        let twice =
            |(at, member): &(usize, &Member<'a>)| members.iter().take(*at).any(|other| other.name == member.name);
        return members.iter().enumerate().filter(twice).map(|(_, member)| member.name).min();
    }
    let mut names = arena.list_with(members.len());
    names.extend(members.iter().map(|member| member.name));
    names.sort_unstable();
    names.windows(2).find_map(|pair| match pair {
        [one, other] if one == other => Some(*one),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, String> {
        let arena = Arena::new();
        match parse(&arena, text, 4) {
            Ok(value) => Ok(serde_json::to_string(&value).unwrap()),
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
    fn a_name_twice_is_refused_also_when_escaped() {
        assert_eq!(read(r#"{"a":1,"\u0061":2}"#).unwrap_err(), r#"Duplicate { name: "a" }"#);
        let many: Vec<String> = (0..100).map(|n| format!("\"n{}\":0", n % 99)).collect();
        assert_eq!(read(&format!("{{{}}}", many.join(","))).unwrap_err(), r#"Duplicate { name: "n0" }"#);
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

    #[test]
    fn plain_len_stops_at_the_first_special_byte_wherever_it_stands() {
        for stop in [b'"', b'\\', 0x00, 0x1f] {
            for at in 0..40 {
                let mut bytes = vec![b'a'; 40];
                bytes[at] = stop;
                assert_eq!(plain_len(&bytes), at);
            }
        }
        assert_eq!(plain_len("é\u{7f}ÿ😀 !#[]~".as_bytes()), "é\u{7f}ÿ😀 !#[]~".len());
    }
}
