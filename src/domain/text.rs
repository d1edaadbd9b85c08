//! What stands as it is in a JSON text (RFC 8259 §7): the reader and the writer both skip over it, eight bytes at a time.

/// How many bytes come before the first quote, backslash or control character.
#[must_use]
pub fn plain_len(bytes: &[u8]) -> usize {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_at_the_first_special_byte_wherever_it_stands() {
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
