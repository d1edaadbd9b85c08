//! 2. Bytes to an unverified event. Pure.
