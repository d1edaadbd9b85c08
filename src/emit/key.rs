//! The key of a record: who it is about. Records of one key share a partition, so that the order in which a user's events
//! were judged is the order in which subscribers read them.
//!
//! - `organization:userId`, else `organization:email`, else `organization:anonymousId`;
//! - where nobody is named, or no organization is known, `topic/partition` of the source: such records keep the
//!   order of their source partition. A topic's name holds no colon, so the two kinds never meet.
//!
//! A rejected event's key is what its payload claims: the sender chooses it, and with it a partition, but never another
//! organization's: settings refuse a slug with a colon.

use std::io::Write as _;

use crate::domain::Verdict;

/// Writes the key into `key`, and says whether it names somebody.
pub(super) fn write(verdict: &Verdict<'_>, key: &mut Vec<u8>) -> bool {
    key.clear();
    let Some((organization, identity)) = verdict.organization.zip(verdict.user.identity()) else {
        // Writing to a `Vec` cannot fail.
        let _ = write!(key, "{}/{}", verdict.source.topic, verdict.source.partition);
        return false;
    };
    for part in [organization, ":", identity] {
        key.extend_from_slice(part.as_bytes());
    }
    true
}
