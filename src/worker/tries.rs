//! How often a shard tries again. Faults count as one row until it has gone well for a minute since the last one was got over: two
//! processes that fence each other in turns both succeed in between, and still have to come to an end. However long the tries
//! take, and a turn that fails in the end, they are no such minute.

use std::time::{Duration, Instant};

use super::{
    fault::{Fault, Remedy},
    options::Retry,
};

/// The time without a fault after which the count begins anew.
const CALM: Duration = Duration::from_secs(60);

/// A pause as it is logged: JSON knows no integer of 128 bits.
pub(crate) fn millis(pause: Duration) -> u64 {
    u64::try_from(pause.as_millis()).unwrap_or(u64::MAX)
}

/// The row of faults of one shard.
#[derive(Debug)]
pub(crate) struct Tries {
    retry: Retry,
    row: u32,
    /// When the last fault was got over; none while one is being.
    recovered: Option<Instant>,
}

impl Tries {
    pub(crate) fn new(retry: Retry) -> Self {
        Self { retry, row: 0, recovered: None }
    }

    /// The pause before the next try after this fault; none where there is no point in one, or there were enough.
    pub(crate) fn next(&mut self, fault: &Fault) -> Option<Duration> {
        self.recovered = None;
        self.row += 1;
        let again = fault.remedy() != Remedy::End && self.row <= self.retry.tries;
        again.then(|| self.retry.pause_before(self.row - 1))
    }

    /// The fault was got over.
    pub(crate) fn recovered(&mut self) {
        self.recovered = Some(Instant::now());
    }

    /// A turn has gone well.
    pub(crate) fn went_well(&mut self) {
        if self.recovered.is_some_and(|recovered| recovered.elapsed() > CALM) {
            self.begin_anew();
        }
    }

    /// What was to be done goes on: a fault to come has nothing to do with those before.
    pub(crate) fn begin_anew(&mut self) {
        *self = Self::new(self.retry);
    }

    /// The fault to end with.
    pub(crate) fn give_up(&self, shard: usize, last: Fault) -> Fault {
        Fault::Persistent { shard, tries: self.row - 1, last: Box::new(last) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::kafka::Failure;

    fn tries() -> Tries {
        Tries::new(Retry { tries: 2, pause: Duration::from_millis(100), longest: Duration::from_secs(5) })
    }

    #[test]
    fn after_so_many_tries_a_fault_is_given_up_with_its_shard_and_its_cause() {
        let mut tries = tries();
        assert_eq!(tries.next(&Fault::AssignmentLost), Some(Duration::from_millis(100)));
        assert_eq!(tries.next(&Fault::AssignmentLost), Some(Duration::from_millis(200)));
        assert_eq!(tries.next(&Fault::AssignmentLost), None);
        let line = tries.give_up(3, Fault::AssignmentLost).to_string();
        assert!(line.starts_with("shard 3: given up after 2 tries: the assignment was lost"), "{line}");
    }

    #[test]
    fn tries_that_take_longer_than_a_calm_minute_are_one_row_all_the_same() {
        let long_ago = Instant::now().checked_sub(CALM + Duration::from_secs(1));
        let mut tries = tries();
        for paused in [100, 200].map(Duration::from_millis) {
            assert_eq!(tries.next(&Fault::AssignmentLost), Some(paused));
        }
        tries.recovered = long_ago;
        assert_eq!(tries.next(&Fault::AssignmentLost), None, "nothing has gone well since");
        tries.recovered();
        tries.went_well();
        assert_eq!(tries.next(&Fault::AssignmentLost), None, "it has, but for no minute");
        tries.recovered = long_ago;
        tries.went_well();
        assert_eq!(tries.next(&Fault::AssignmentLost), Some(Duration::from_millis(100)));
    }

    #[test]
    fn a_fault_without_a_remedy_is_not_tried_again() {
        let source = rdkafka::error::KafkaError::Canceled;
        assert_eq!(tries().next(&Fault::Reading(Failure::Unreadable { what: "events".to_owned(), source })), None);
    }
}
