//! The records of one partition's ranges, one after the other. A range is done once a record at or after its end has come, or the
//! partition's own end was reached: the end of each range is no later than that was at the beginning. So a range that ends in
//! markers of transactions ends, too, and nothing waits for a record that can't come.

use std::time::{Duration, Instant};

use rdkafka::message::Message as _;

use super::{Span, jumps::Jumps, range::LOOKUP};
use crate::{
    domain::Arena,
    replay::{Chunk, Each, Failure},
    source::kafka::{self, Assigned, Came},
};

/// The most records that are handed out at a time.
pub(in crate::replay) const RECORDS: u64 = 1_000;
/// The longest time for that, and the longest wait for the first one.
const WAIT: Duration = Duration::from_millis(100);
/// How long nothing may come, neither a record nor the end.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was read.
#[derive(Default)]
pub(in crate::replay) struct Read {
    pub(in crate::replay) chunk: Chunk,
    /// Offsets that were no longer kept when they were due.
    pub(in crate::replay) gone: u64,
}

/// Reads spans with one consumer.
pub(in crate::replay) struct SpanReader {
    consumer: Assigned,
    span: Option<Span>,
    /// Which of its ranges.
    at: usize,
    stand: Stand,
    heard: Instant,
    jumps: Jumps,
}

/// How far a reader is in its span.
#[derive(Default)]
struct Stand {
    /// The next offset.
    next: i64,
    /// How many offsets of the span are at that one or after it.
    left: u64,
    /// In which of its ranges these begin.
    range: usize,
}

/// Why a chunk ends.
enum Stop {
    /// It is full, or no more records are there yet.
    Full,
    /// The next range is far off, and begins here.
    Far(i64),
    /// Nothing is left of the span.
    Done,
    /// The partition itself ends here.
    End,
    /// The position isn't there.
    OutOfRange,
}

impl SpanReader {
    /// A reader with a consumer that fetches so many bytes at a time.
    pub(in crate::replay) fn new(consumer: Assigned, fetch_bytes: usize) -> Self {
        let (span, at, stand) = Default::default();
        Self { consumer, span, at, stand, heard: Instant::now(), jumps: Jumps::new(fetch_bytes) }
    }

    /// Whether nothing is left of the span.
    pub(in crate::replay) fn is_done(&self) -> bool {
        self.span.is_none()
    }

    /// The consumer.
    pub(in crate::replay) fn consumer(&self) -> &Assigned {
        &self.consumer
    }

    /// The offset before which everything of the span was handed out.
    pub(in crate::replay) fn position(&self) -> i64 {
        self.stand.next
    }

    /// How many of the span's offsets are at that one or after it.
    pub(in crate::replay) fn left(&self) -> u64 {
        self.stand.left
    }

    /// Begins a span.
    pub(in crate::replay) fn begin(&mut self, span: Span) -> Result<(), Failure> {
        (self.span, self.at) = (None, 0);
        self.stand = Stand { left: span.size(), range: 0, ..self.stand };
        if let Some(first) = span.ranges.first() {
            self.stand.next = first.start;
            self.go(&span)?;
            self.span = Some(span);
        }
        Ok(())
    }

    /// Has the next record be that of the next offset.
    fn go(&mut self, span: &Span) -> Result<(), Failure> {
        self.heard = Instant::now();
        self.jumps.jumped();
        self.consumer.assign(&span.topic, span.partition, self.stand.next).map_err(Failure::Client)
    }

    /// Nobody was asked for so long, which is no silence of the brokers.
    pub(in crate::replay) fn rested(&mut self, time: Duration) {
        self.heard += time;
    }

    /// Hands out the next records of the span, at most so many.
    pub(in crate::replay) fn read(
        &mut self,
        arena: &mut Arena,
        most: u64,
        each: &mut Each<'_>,
    ) -> Result<Read, Failure> {
        let Some(span) = self.span.take() else { return Ok(Read::default()) };
        let (before, mut gone) = (self.left(), 0);
        let (records, stop) = self.fill(&span, arena, (most, each))?;
        match stop {
            Stop::Full => self.span = Some(span),
            Stop::Far(start) => {
                self.stand.pass(&span, start);
                self.go(&span)?;
                self.span = Some(span);
            }
            Stop::Done => self.stand.pass(&span, span.end()),
            Stop::End => {
                self.whole(&span)?;
                self.stand.pass(&span, span.end());
            }
            Stop::OutOfRange => gone = self.catch_up(span)?,
        }
        Ok(Read { chunk: Chunk { turn: None, records, size: before - self.left() }, gone })
    }

    fn fill(
        &mut self,
        span: &Span,
        arena: &mut Arena,
        (most, each): (u64, &mut Each<'_>),
    ) -> Result<(u64, Stop), Failure> {
        let (mut records, begun) = (0, Instant::now());
        for polled in 0..RECORDS {
            if records == most || (polled > 0 && begun.elapsed() > WAIT) {
                break;
            }
            let stop = match self.consumer.poll(if polled == 0 { WAIT } else { Duration::ZERO })? {
                Came::Record(message) if message.partition() == span.partition => {
                    self.heard = Instant::now();
                    self.jumps.came(message.payload_len() + message.key_len());
                    let offset = message.offset();
                    if place(span, &mut self.at, offset) == Place::Within && offset >= self.stand.next {
                        arena.reset();
                        each(&kafka::record(&message, arena), arena)?;
                        records += 1;
                        self.stand.pass(span, offset + 1);
                    }
                    match place(span, &mut self.at, offset.saturating_add(1)) {
                        Place::After => Some(Stop::Done),
                        Place::Before(far) if far > self.jumps.near(self.consumer.fetched_so_far()) => {
                            Some(Stop::Far(offset + 1 + far))
                        }
                        Place::Within | Place::Before(_) => None,
                    }
                }
                Came::End(partition) if partition == span.partition => Some(Stop::End),
                Came::OutOfRange => Some(Stop::OutOfRange),
                Came::Nothing => Some(self.patient(span)?),
                // Left over from the partition before.
                Came::Record(_) | Came::End(_) => None,
            };
            if let Some(stop) = stop {
                return Ok((records, stop));
            }
        }
        Ok((records, Stop::Full))
    }

    fn patient(&self, span: &Span) -> Result<Stop, Failure> {
        if self.heard.elapsed() < PATIENCE {
            return Ok(Stop::Full);
        }
        let position = format!("{}/{}/{}", span.topic, span.partition, self.stand.next);
        Err(Failure::Silent { position, seconds: PATIENCE.as_secs() })
    }

    /// Where the partition begins and ends now.
    fn edges(&self, span: &Span) -> Result<(i64, i64), Failure> {
        let unknown = |source| Failure::LookUp { what: "the offsets", topic: span.topic.clone(), source };
        self.consumer.watermarks(&span.topic, span.partition, LOOKUP).map_err(unknown)
    }

    /// Every range ends at or before where the partition ended when it was looked up. One that ends earlier now lost records.
    fn whole(&self, span: &Span) -> Result<(), Failure> {
        let (_, end) = self.edges(span)?;
        if end < span.end() {
            let (topic, partition, position) = (span.topic.clone(), span.partition, span.end());
            return Err(Failure::Recreated { topic, partition, end, position });
        }
        Ok(())
    }

    /// Goes on where the partition begins now; how many offsets of the span are gone.
    fn catch_up(&mut self, span: Span) -> Result<u64, Failure> {
        let (low, end) = self.edges(&span)?;
        let position = self.position();
        if end < position {
            let Span { topic, partition, .. } = span;
            return Err(Failure::Recreated { topic, partition, end, position });
        }
        let (before, last) = (self.left(), span.end());
        self.begin(span.rest(low.max(position)))?;
        if self.is_done() {
            self.stand.next = last;
        }
        Ok(before - self.left())
    }
}

/// Where an offset is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Within,
    /// So many offsets before the next range.
    Before(i64),
    /// After all ranges.
    After,
}

/// Where an offset is, once `at` is the first range that doesn't end before it.
fn place(span: &Span, at: &mut usize, offset: i64) -> Place {
    while span.ranges.get(*at).is_some_and(|range| range.end <= offset) {
        *at += 1;
    }
    match span.ranges.get(*at) {
        None => Place::After,
        Some(range) if range.start <= offset => Place::Within,
        Some(range) => Place::Before(range.start - offset),
    }
}

impl Stand {
    /// Everything before this offset was handed out. What is left is counted on the way: a span of a hundred thousand ranges is not
    /// looked through for each of them.
    fn pass(&mut self, span: &Span, to: i64) {
        while let Some(range) = span.ranges.get(self.range) {
            self.left -= u64::try_from(range.end.min(to) - range.start.max(self.next)).unwrap_or(0);
            if to < range.end {
                break;
            }
            self.range += 1;
        }
        self.next = to;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_passed_is_counted_on_the_way() {
        let span = Span { topic: "t".to_owned(), partition: 0, ranges: vec![10..20, 50..51, 900..1_000] };
        for way in [&[11, 12, 20, 50, 51, 900, 950, 1_000][..], &[1_000], &[15, 60, 60, 2_000], &[20]] {
            let mut stand = Stand { next: 10, left: span.size(), range: 0 };
            for to in way {
                stand.pass(&span, *to);
                let left: i64 = span.ranges.iter().map(|range| (range.end - range.start.max(*to)).max(0)).sum();
                assert_eq!((stand.next, stand.left), (*to, u64::try_from(left).unwrap()), "{way:?}");
            }
        }
    }

    #[test]
    fn an_offset_is_within_a_range_before_one_or_after_all() {
        let span = Span { topic: "t".to_owned(), partition: 0, ranges: vec![10..20, 50..51, 900..1_000] };
        let mut at = 0;
        let places = [0, 10, 19, 20, 50, 51, 800, 999, 1_000].map(|offset| place(&span, &mut at, offset));
        use Place::{After, Before, Within};
        let expected = [Before(10), Within, Within, Before(30), Within, Before(849), Before(100), Within, After];
        assert_eq!(places, expected);
        assert_eq!(place(&span, &mut 0, 2_000), After);
    }
}
