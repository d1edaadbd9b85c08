//! Whether a reader of ranges goes to the next one or reads through to it. A broker hands out whole batches, and librdkafka asks for more
//! than one record: going somewhere fetches what lies around it, too. Where that is more than what lies between two ranges, reading
//! through is cheaper, and ranges that are scattered all over a topic cost hardly more than the topic.

/// What is fetched for one position, in fetches of the usual size: one on its way that nobody needs any more, and the one of the position.
const FETCHES: u64 = 2;
/// How many times smaller records are in a batch than by themselves: between a token, which hardly compresses, and plain JSON.
const COMPRESSION: u64 = 2;

/// What was read so far, and how often it went somewhere.
pub(super) struct Jumps {
    fetch_bytes: u64,
    jumps: u64,
    records: u64,
    bytes: u64,
}

impl Jumps {
    /// Nothing is read yet; so many bytes are fetched at a time.
    pub(super) fn new(fetch_bytes: usize) -> Self {
        Self { fetch_bytes: fetch_bytes as u64, jumps: 0, records: 0, bytes: 0 }
    }

    /// It goes somewhere.
    pub(super) fn jumped(&mut self) {
        self.jumps += 1;
    }

    /// A record came, asked for or not.
    pub(super) fn came(&mut self, bytes: usize) {
        self.records += 1;
        self.bytes += bytes as u64;
    }

    /// The most offsets that cost less read through than gone over, once so many bytes were fetched. What was fetched beyond the records
    /// that came is the price of the jumps so far: with batches larger than a fetch they are dearer.
    pub(super) fn near(&self, fetched: u64) -> i64 {
        let beyond = fetched.saturating_sub(self.bytes).checked_div(self.jumps).unwrap_or_default();
        let jump = beyond.max(FETCHES * self.fetch_bytes);
        let record = self.bytes.checked_div(self.records).unwrap_or_default().max(1);
        i64::try_from(COMPRESSION * jump / record).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_larger_the_records_the_sooner_a_jump_pays_and_the_larger_the_batches_the_later() {
        let read = |bytes, jumps| {
            let mut read = Jumps::new(64 * 1024);
            (0..100).for_each(|_| read.came(bytes));
            (0..jumps).for_each(|_| read.jumped());
            read
        };
        assert_eq!(read(1_024, 1).near(0), 256);
        assert_eq!(read(102_400, 1).near(0), 2);
        assert_eq!(read(1_024, 10).near(10 * 128 * 1024), 256, "as dear as expected");
        assert_eq!(read(1_024, 10).near(100 * 1_024 + 10 * 1_024 * 1_024), 2_048, "batches of a mebibyte");
        assert_eq!(Jumps::new(64 * 1024).near(0), 256 * 1_024, "nothing came yet");
    }
}
