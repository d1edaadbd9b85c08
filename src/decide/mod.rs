//! 4. Verified event and settings to verdict: one file a rule, one fold. Pure.
