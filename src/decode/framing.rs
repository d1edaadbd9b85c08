//! The framing that a schema registry's serializers put before a value: magic byte 0 and the schema's id in four bytes.

/// The value without its framing. JSON cannot start with a zero byte, so that nothing else is taken for one.
pub(super) fn unwrap(value: &[u8]) -> &[u8] {
    match value {
        [0, _, _, _, _, json @ ..] => json,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::unwrap;

    #[test]
    fn five_bytes_after_a_zero_fall_away() {
        assert_eq!(unwrap(b"\0\0\0\0\x07{}"), b"{}");
        assert_eq!(unwrap(b"{}"), b"{}");
        assert_eq!(unwrap(b"\0{}"), b"\0{}");
        assert_eq!(unwrap(b""), b"");
    }
}
