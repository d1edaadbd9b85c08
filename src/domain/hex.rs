//! Bytes as hexadecimal digits, two a byte: written in lower case, read in either.
//!
//! Reading stops at the first that is no digit, so that its time tells where that is, and of the digits before it nothing. Who compares what
//! was read with a secret does so in constant time.

/// The digits of bytes.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| digits(*byte)).map(char::from).collect()
}

/// The two digits of a byte.
#[must_use]
pub fn digits(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [byte >> 4, byte & 15].map(|value| DIGITS[usize::from(value)])
}

/// As many bytes as are asked for; none unless there are two digits for each, and nothing else.
#[must_use]
pub fn decode<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let (pairs, rest) = digits.as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(pairs) {
        *byte = of_pair(pair)?;
    }
    Some(bytes)
}

/// However many bytes there are; none where two digits for each are not all that there is.
#[must_use]
pub fn decode_all(digits: &[u8]) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_chunks::<2>();
    if rest.is_empty() { pairs.iter().map(of_pair).collect() } else { None }
}

fn of_pair([high, low]: &[u8; 2]) -> Option<u8> {
    Some(value(*high)? << 4 | value(*low)?)
}

fn value(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_reads_back_in_either_case() {
        let all: Vec<u8> = (0..=u8::MAX).collect();
        let text = encode(&all);
        assert_eq!(text, all.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        for text in [text.to_uppercase(), text] {
            assert_eq!(decode::<256>(text.as_bytes()).as_ref().map(|bytes| &bytes[..]), Some(&all[..]));
            assert_eq!(decode_all(text.as_bytes()), Some(all.clone()));
        }
    }

    #[test]
    fn nothing_but_digits_reads_and_no_half_of_a_byte() {
        for text in ["0", "000", "0g", "g0", "+1", "-1", " 1", "1 ", "0x", "é"] {
            assert_eq!(decode::<1>(text.as_bytes()), None, "{text}");
            assert_eq!(decode_all(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn as_many_bytes_are_read_as_are_asked_for() {
        assert_eq!(decode::<2>(b"00ff"), Some([0, 255]));
        assert_eq!((decode::<1>(b"00ff"), decode::<3>(b"00ff")), (None, None));
        assert_eq!((decode::<0>(b""), decode_all(b"")), (Some([]), Some(Vec::new())));
        assert_eq!(encode(&[]), "");
    }
}
