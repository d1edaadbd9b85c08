//! 3. Unverified to verified: keys, tokens, hashes. Pure.
