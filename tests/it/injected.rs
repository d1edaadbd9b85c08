//! Errors that a healthy cluster can't be made to give, injected by a mock: what the worker does about each class.

use std::time::Duration;

use attrsync::worker::{Delivery, Options, Timeouts};
use rdkafka::types::{RDKafkaApiKey as Api, RDKafkaRespErr as Code};

use crate::kit::{
    SOON, eventually,
    mock::{COORDINATOR, Mock, Remedies, Running},
};

/// Events of one batch. One comes in one request, so that the next `Produce` after it is the worker's.
const SOME: usize = 1;
/// The answer to that one request.
const FINE: Code = Code::RD_KAFKA_RESP_ERR_NO_ERROR;

/// For the tests that wait for the end of a call. Not of the session: the mock keeps no offsets of transactions, and whoever joins it
/// anew begins at the beginning.
const IMPATIENT: Timeouts = Timeouts {
    message: Duration::from_millis(1_500),
    transaction: Duration::from_millis(2_000),
    session: Duration::from_secs(50),
};
/// For the tests whose consumer joins anew: the mock lets nearly a session pass before it is in the group again, and another one where
/// it has a name there.
const JOINING: Timeouts =
    Timeouts { message: Duration::from_secs(8), transaction: Duration::from_secs(9), session: Duration::from_secs(10) };

fn start(mock: &Mock, timeouts: Timeouts) -> Running {
    Running::start(&Options { timeouts, ..mock.options(Delivery::ExactlyOnce) })
}

/// Injects each error while the worker is idle, so that the next batch is the one that meets it; says what was done about
/// it once that batch is committed.
fn meet(mock: &Mock, errors: &[(Api, &[Code])], expected: Remedies) {
    let worker = mock.start();
    worker.joins();
    let mut feed = mock.feed();
    feed.mixture(SOME);
    worker.judges(feed.len());
    for (request, codes) in errors {
        let before = worker.remedies();
        mock.inject(*request, codes);
        feed.mixture(SOME);
        worker.judges(feed.len());
        let after = worker.remedies();
        let found = Remedies {
            aborted: after.aborted - before.aborted,
            rebuilt: after.rebuilt - before.rebuilt,
            rejoined: after.rejoined - before.rejoined,
        };
        assert_eq!(found, expected, "{request:?} {codes:?}");
    }
    worker.stop();
}

#[test]
fn a_retriable_error_is_tried_again_and_no_batch_is_given_up() {
    let mock = Mock::new("retriable");
    // Met by the first producer, before any record is read.
    mock.inject(
        Api::InitProducerId,
        &[Code::RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, Code::RD_KAFKA_RESP_ERR_NOT_COORDINATOR],
    );
    let errors: [(Api, &[Code]); 4] = [
        (
            Api::AddPartitionsToTxn,
            &[Code::RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, Code::RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS],
        ),
        (Api::AddOffsetsToTxn, &[Code::RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS]),
        (Api::TxnOffsetCommit, &[Code::RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS]),
        (
            Api::EndTxn,
            &[Code::RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, Code::RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS],
        ),
    ];
    meet(&mock, &errors, Remedies::default());
}

#[test]
fn an_abortable_error_aborts_the_batch_which_is_read_again() {
    let errors: [(Api, &[Code]); 4] = [
        (Api::AddPartitionsToTxn, &[Code::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED]),
        (Api::AddPartitionsToTxn, &[Code::RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING]),
        (Api::AddOffsetsToTxn, &[Code::RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED]),
        (Api::TxnOffsetCommit, &[Code::RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION]),
    ];
    meet(&Mock::new("abortable"), &errors, Remedies { aborted: 1, ..Remedies::default() });
}

#[test]
fn a_member_that_the_group_does_not_know_any_more_joins_it_anew() {
    let mock = Mock::new("unknown-member");
    let (worker, mut feed) = (start(&mock, JOINING), mock.feed());
    worker.joins();
    mock.inject(Api::TxnOffsetCommit, &[Code::RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID]);
    feed.mixture(SOME);
    worker.judges(feed.len());
    assert_eq!(worker.remedies(), Remedies { rejoined: 1, ..Remedies::default() });
    worker.stop();
}

#[test]
fn a_record_that_the_broker_refuses_aborts_its_batch_which_is_read_again() {
    let mock = Mock::new("refused-record");
    let worker = mock.start();
    worker.joins();
    let mut feed = mock.feed();
    mock.inject(Api::Produce, &[FINE, Code::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE]);
    feed.mixture(SOME);
    worker.judges(feed.len());
    let Remedies { aborted, rebuilt, rejoined } = worker.remedies();
    // Once more where the refused record leaves a gap in the producer's sequence, which another abort closes.
    assert!((1..=2).contains(&aborted), "{aborted}");
    assert_eq!((rebuilt, rejoined), (0, 0));
    worker.stop();
}

#[test]
fn a_fatal_error_gives_the_producer_up_and_the_next_one_takes_the_batch() {
    let errors: [(Api, &[Code]); 4] = [
        (Api::AddPartitionsToTxn, &[Code::RD_KAFKA_RESP_ERR_INVALID_TXN_STATE]),
        (Api::AddOffsetsToTxn, &[Code::RD_KAFKA_RESP_ERR_INVALID_TXN_STATE]),
        (Api::TxnOffsetCommit, &[Code::RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH]),
        (Api::EndTxn, &[Code::RD_KAFKA_RESP_ERR_PRODUCER_FENCED]),
    ];
    meet(&Mock::new("fatal"), &errors, Remedies { rebuilt: 1, ..Remedies::default() });
}

#[test]
fn a_commit_whose_outcome_is_unknown_gives_the_producer_up() {
    let mock = Mock::new("unknown");
    let (worker, mut feed) = (start(&mock, IMPATIENT), mock.feed());
    feed.mixture(SOME);
    worker.judges(feed.len());
    // The coordinator's answers take longer than the transaction may, whatever else takes its time.
    let before = worker.remedies();
    mock.cluster.broker_round_trip_time(COORDINATOR, 2 * SOON).unwrap();
    feed.mixture(SOME);
    eventually("the producer is given up", SOON, || worker.remedies().rebuilt > before.rebuilt);
    assert_eq!(worker.remedies().aborted, before.aborted, "nothing was called on it any more");
    mock.cluster.broker_round_trip_time(COORDINATOR, Duration::ZERO).unwrap();
    worker.judges(feed.len());
    worker.stop();
}

/// As while a broker is restarted: librdkafka asks three times who coordinates the group, then never again, and never comes back
/// (its issue 5456).
#[test]
fn offsets_whose_call_does_not_come_back_give_the_producer_up() {
    let mock = Mock::new("unanswered");
    let (worker, mut feed) = (start(&mock, IMPATIENT), mock.feed());
    feed.mixture(SOME);
    worker.judges(feed.len());
    let before = worker.remedies();
    mock.inject(Api::TxnOffsetCommit, &[Code::RD_KAFKA_RESP_ERR_NOT_COORDINATOR]);
    mock.inject(Api::FindCoordinator, &[Code::RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE; 3]);
    feed.mixture(SOME);
    worker.judges(feed.len());
    // On a busy machine perhaps more than once, and a batch may be aborted beside it.
    assert!(worker.remedies().rebuilt > before.rebuilt, "{:?}", worker.remedies());
    worker.stop();
}

#[test]
fn a_consumer_that_is_fenced_is_replaced_and_reads_on() {
    let mock = Mock::new("fenced-consumer");
    // Only who has a name in the group finds another one under it.
    let options = Options { static_membership: true, timeouts: JOINING, ..mock.options(Delivery::ExactlyOnce) };
    let (worker, mut feed) = (Running::start(&options), mock.feed());
    worker.joins();
    mock.inject(Api::Heartbeat, &[Code::RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID]);
    eventually("the consumer is replaced", SOON, || worker.remedies().rejoined == 1);
    feed.mixture(SOME);
    worker.judges(feed.len());
    assert_eq!(worker.remedies(), Remedies { rejoined: 1, ..Remedies::default() });
    worker.stop();
}

/// As while the group's coordinator moves, or a transaction of the partition's last owner is open: librdkafka itself would never ask
/// again after the first two (its issue 5586).
#[test]
fn a_partition_is_read_from_what_the_group_has_committed_however_late_that_is_known() {
    let mock = Mock::new("late-offsets");
    // The mock keeps no offsets of transactions.
    let options = Options { timeouts: JOINING, ..mock.options(Delivery::AtLeastOnce) };
    let mut feed = mock.feed();
    let mut judged = 0;
    for code in [
        FINE,
        Code::RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
        Code::RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE,
        Code::RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT,
    ] {
        mock.inject(Api::OffsetFetch, &[code; 3]);
        let worker = Running::start(&options);
        feed.mixture(SOME);
        worker.judges(feed.len() - judged);
        assert_eq!(worker.remedies(), Remedies::default(), "{code:?}");
        worker.stop();
        judged = feed.len();
    }
}

#[test]
fn a_fault_that_persists_ends_the_worker_with_what_failed_and_where() {
    let mock = Mock::new("persistent");
    mock.inject(Api::AddPartitionsToTxn, &[Code::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED; 20]);
    let (worker, mut feed) = (mock.start(), mock.feed());
    feed.mixture(SOME);
    let line = worker.ended().to_string();
    assert!(line.starts_with("shard 0: given up after 5 tries: "), "{line}");
    assert!(
        line.contains(&format!("{}-a-0", mock.topics.group)) && line.contains("TopicAuthorizationFailed"),
        "{line}"
    );
    assert!(!line.contains('\n'), "{line}");
}

#[test]
fn a_producer_that_is_refused_ends_the_worker_without_further_tries() {
    let mock = Mock::new("refused");
    mock.inject(Api::InitProducerId, &[Code::RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED]);
    let line = mock.start().ended().to_string();
    assert!(line.starts_with("shard 0: ") && !line.contains("given up after"), "{line}");
    assert!(line.contains("TransactionalIdAuthorizationFailed"), "{line}");
}

#[test]
fn a_topic_that_may_not_be_read_ends_the_worker_instead_of_passing_over_records() {
    let mock = Mock::new("unreadable");
    let (worker, mut feed) = (mock.start(), mock.feed());
    feed.mixture(SOME);
    worker.judges(feed.len());
    mock.inject(Api::Fetch, &[Code::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED]);
    let line = worker.ended().to_string();
    assert!(line.contains("reading") && line.contains("TopicAuthorizationFailed"), "{line}");
}

#[test]
fn at_least_once_a_record_that_cannot_be_delivered_leaves_its_batch_uncommitted() {
    let mock = Mock::new("undelivered");
    // One whose generation is refused joins anew by itself.
    let options = Options { timeouts: JOINING, ..mock.options(Delivery::AtLeastOnce) };
    let (worker, mut feed) = (Running::start(&options), mock.feed());
    feed.mixture(SOME);
    worker.judges(feed.len());
    for (request, codes, expected) in [
        (
            Api::Produce,
            &[FINE, Code::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE][..],
            Remedies { rebuilt: 1, ..Remedies::default() },
        ),
        (
            Api::OffsetCommit,
            &[Code::RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION],
            Remedies { rebuilt: 1, aborted: 1, rejoined: 0 },
        ),
    ] {
        mock.inject(request, codes);
        feed.mixture(SOME);
        worker.judges(feed.len());
        assert_eq!(worker.remedies(), expected, "{request:?}");
    }
    worker.stop();
}
