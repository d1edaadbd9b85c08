//! The few calls to librdkafka that rdkafka's safe wrapper lacks or gets wrong for this worker, and the only `unsafe` of
//! the crate. Each `unsafe` block is one call, its arguments checked by types, its answer copied into safe values before the
//! function returns. Beside them stands what says how those calls can fail ([`CallError`]), and in [`log`] what librdkafka says nowhere
//! but in its log.
//!
//! - [`commit_transaction`]: the wrapper polls for delivery reports in quanta of 100 ms first, so that every commit costs
//!   101 ms however little is in flight.
//! - [`flush`]: the wrapper's own costs the same 100 ms.
//! - [`headers`]: the wrapper panics on a header whose name isn't UTF-8, and a sender must not be able to do that.
//! - [`begins`]: the wrapper has no call for what the client knows already.
//! - [`within`]: some calls may never come back, whatever timeout they are given.
//! - [`Topic`] and [`HeaderList`]: the wrapper copies the topic and the name of every header into a C string of its own, for each
//!   record anew, and librdkafka then looks the topic up by its name.
#![expect(unsafe_code, reason = "the one module that speaks to librdkafka's C interface; each block argues for itself")]

mod log;

use std::{
    ffi::{CStr, CString},
    mem,
    ptr::{self, NonNull},
    slice,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use rdkafka::{
    bindings as c,
    consumer::{BaseConsumer, Consumer as _, ConsumerContext},
    error::{KafkaError, RDKafkaErrorCode},
    message::BorrowedMessage,
    producer::{BaseProducer, Producer as _, ProducerContext},
};

pub(crate) use self::log::{Log, hear_warnings};
use crate::domain::Header;

/// Why a call of the transaction interface failed, and what librdkafka says may be done about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text} ({code:?})")]
pub struct CallError {
    /// librdkafka's or the broker's error code.
    pub code: RDKafkaErrorCode,
    /// What it stands for.
    pub class: CallClass,
    /// librdkafka's own words: codes, counts and names of our own topics and ids, never a record's content.
    pub text: String,
}

/// What may be done after a failed call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallClass {
    /// The same call again, with the same arguments.
    Retriable,
    /// The transaction can only be aborted.
    RequiresAbort,
    /// Fatal for the producer, or of unknown outcome.
    Lost,
}

impl CallClass {
    /// A fatal error stays fatal whatever else librdkafka says of it, and one that asks for an abort is no retry.
    fn of(fatal: bool, requires_abort: bool, retriable: bool) -> Self {
        match (fatal, requires_abort, retriable) {
            (true, _, _) => Self::Lost,
            (_, true, _) => Self::RequiresAbort,
            (_, _, true) => Self::Retriable,
            _ => Self::Lost,
        }
    }
}

impl CallError {
    /// The producer was given up before, or the consumer has no group: nothing was called.
    pub(crate) fn not_open() -> Self {
        Self { code: RDKafkaErrorCode::State, class: CallClass::Lost, text: "there is no open client".to_owned() }
    }

    /// The client was told that nobody leads a partition: see [`Log::misled`].
    pub(crate) fn misled() -> Self {
        let text = "a partition had no leader for a moment, which the producer may never get over".to_owned();
        Self { code: RDKafkaErrorCode::LeaderNotAvailable, class: CallClass::Lost, text }
    }

    /// This error, but as one of unknown outcome where the call's request may still be under way when nobody waits for it any more:
    /// librdkafka asks for an abort there, and would begin again beside it.
    pub(crate) fn or_unknown(self) -> Self {
        use RDKafkaErrorCode as Code;
        match self.code {
            Code::OperationTimedOut | Code::RequestTimedOut | Code::BrokerTransportFailure => {
                Self { class: CallClass::Lost, ..self }
            }
            _ => self,
        }
    }

    /// The call did not come back.
    pub(crate) fn unanswered() -> Self {
        let text = "the call has not come back; it is left to itself".to_owned();
        Self { code: RDKafkaErrorCode::OperationTimedOut, class: CallClass::Lost, text }
    }

    /// Records are still under way.
    pub(crate) fn undelivered() -> Self {
        let text = "records are still under way".to_owned();
        Self { code: RDKafkaErrorCode::OperationTimedOut, class: CallClass::Retriable, text }
    }

    /// A record was given up.
    pub(crate) fn failed_delivery(code: RDKafkaErrorCode) -> Self {
        Self { code, class: CallClass::Lost, text: "a record could not be delivered".to_owned() }
    }
}

impl From<KafkaError> for CallError {
    fn from(error: KafkaError) -> Self {
        let KafkaError::Transaction(error) = error else {
            let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown);
            return Self { code, class: CallClass::Lost, text: error.to_string() };
        };
        let class = CallClass::of(error.is_fatal(), error.txn_requires_abort(), error.is_retriable());
        Self { code: error.code(), class, text: error.string() }
    }
}

/// Makes a call on a thread of its own, and waits for its answer `timeout` at most. A call that hasn't come back by then is left
/// to itself, with all that it holds; so is one that there is no thread for.
pub(crate) fn within<T: Send + 'static>(timeout: Duration, call: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (answer, answered) = mpsc::channel();
    let work = move || {
        // Nobody waits any more where it took too long.
        let _ = answer.send(call());
    };
    thread::Builder::new().name("librdkafka-call".to_owned()).spawn(work).ok()?;
    answered.recv_timeout(timeout).ok()
}

/// Commits the producer's transaction, waiting `timeout` at most. A call that timed out is retriable: librdkafka goes on in
/// the background and the next call resumes it. The producer has to be polled between two calls: a delivery report
/// that nobody takes holds the commit up.
pub(crate) fn commit_transaction<C: ProducerContext>(
    producer: &BaseProducer<C>,
    timeout: Duration,
) -> Result<(), CallError> {
    // SAFETY: the pointer is that of a live producer, which the reference keeps alive for the whole call, and librdkafka's
    // handles may be used from any thread. The function takes no other memory of ours.
    let error = unsafe { c::rd_kafka_commit_transaction(producer.client().native_ptr(), millis(timeout)) };
    if error.is_null() {
        return Ok(());
    }
    // SAFETY: a non-null answer is an error object that now belongs to us. It is read, its text copied, and destroyed once,
    // and nothing that points into it leaves this block. `rd_kafka_error_string` never returns null for an error object.
    unsafe {
        let class = CallClass::of(
            c::rd_kafka_error_is_fatal(error) != 0,
            c::rd_kafka_error_txn_requires_abort(error) != 0,
            c::rd_kafka_error_is_retriable(error) != 0,
        );
        let text = CStr::from_ptr(c::rd_kafka_error_string(error)).to_string_lossy().into_owned();
        let code = c::rd_kafka_error_code(error).into();
        c::rd_kafka_error_destroy(error);
        Err(CallError { code, class, text })
    }
}

/// Sends what is queued without waiting for more and waits until nothing is in flight, `timeout` at most; says whether
/// it came to that. The producer has to be polled between two calls, as with [`commit_transaction`].
pub(crate) fn flush<C: ProducerContext>(producer: &BaseProducer<C>, timeout: Duration) -> bool {
    // SAFETY: as in `commit_transaction`: a live producer, and no memory of ours.
    let code = unsafe { c::rd_kafka_flush(producer.client().native_ptr(), millis(timeout)) };
    code == c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR
}

/// Where a partition begins, as far as the consumer was told by the latest answer of its leader; asks nobody.
pub(crate) fn begins<C: ConsumerContext>(consumer: &BaseConsumer<C>, topic: &str, partition: i32) -> Option<i64> {
    let topic = CString::new(topic).ok()?;
    let (mut low, mut high) = (-1, -1);
    // SAFETY: the consumer is live, the topic ends with a null byte, and both answers are written into integers of ours.
    let code = unsafe {
        c::rd_kafka_get_watermark_offsets(
            consumer.client().native_ptr(),
            topic.as_ptr(),
            partition,
            &raw mut low,
            &raw mut high,
        )
    };
    (code == c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR && low >= 0).then_some(low)
}

/// The headers of one record, in librdkafka's own memory.
pub(crate) struct HeaderList(NonNull<c::rd_kafka_headers_t>);

impl HeaderList {
    /// A list with these names and values.
    pub(crate) fn of<'h>(headers: impl ExactSizeIterator<Item = (&'static str, &'h [u8])>) -> Self {
        // SAFETY: takes no memory of ours.
        let list = unsafe { c::rd_kafka_headers_new(headers.len()) };
        // librdkafka ends the process itself when it has no memory left, and knows no other reason to answer with null.
        let list = Self(NonNull::new(list).expect("librdkafka makes a header list"));
        for (name, value) in headers {
            // SAFETY: the list is live and ours; name and value are copied, each with the length that is given. A length fits
            // `isize` since the slice exists. The call fails only for a list that is read-only, which a new one isn't.
            unsafe {
                let (name, name_len) = (name.as_ptr().cast(), name.len().cast_signed());
                c::rd_kafka_header_add(
                    list.0.as_ptr(),
                    name,
                    name_len,
                    value.as_ptr().cast(),
                    value.len().cast_signed(),
                );
            }
        }
        list
    }
}

impl Drop for HeaderList {
    fn drop(&mut self) {
        // SAFETY: the list is live, ours, and not used after this. One that a record took over is never dropped, see `Topic::send`.
        unsafe { c::rd_kafka_headers_destroy(self.0.as_ptr()) }
    }
}

/// A topic as its producer knows it. It is looked up once, and not for each record by its name, under a lock that all threads of
/// the client take.
pub(crate) struct Topic<C: ProducerContext + 'static> {
    handle: NonNull<c::rd_kafka_topic_t>,
    /// Lives for as long as its topics.
    producer: Arc<BaseProducer<C>>,
}

// SAFETY: librdkafka's handles may be used from any thread; the handle is ours alone until it is given back.
unsafe impl<C: ProducerContext> Send for Topic<C> {}

/// What is sent.
#[derive(Clone, Copy)]
pub(crate) struct Outgoing<'m> {
    /// The key, by which the partitioner chooses the partition.
    pub(crate) key: &'m [u8],
    /// The value.
    pub(crate) value: &'m [u8],
}

impl<C: ProducerContext<DeliveryOpaque = ()>> Topic<C> {
    /// The topic of this name, which need not exist yet.
    pub(crate) fn new(producer: Arc<BaseProducer<C>>, name: &CStr) -> Result<Self, RDKafkaErrorCode> {
        // SAFETY: the producer is live, the name is copied, and without a configuration of its own the topic has the producer's.
        let handle = unsafe { c::rd_kafka_topic_new(producer.client().native_ptr(), name.as_ptr(), ptr::null_mut()) };
        match NonNull::new(handle) {
            Some(handle) => Ok(Self { handle, producer }),
            // SAFETY: takes nothing; it is the error of this thread's last call.
            None => Err(unsafe { c::rd_kafka_last_error() }.into()),
        }
    }

    /// Hands a record over to the producer, which copies key and value. Where it takes none the headers come back.
    pub(crate) fn send(&self, record: Outgoing<'_>, headers: HeaderList) -> Result<(), (RDKafkaErrorCode, HeaderList)> {
        use c::rd_kafka_vtype_t as vtype;
        // SAFETY: producer and topic are live. Each argument is of the type that its tag announces (librdkafka's
        // `rd_kafka_producev`), and the end is marked. Key and value outlive the call, which copies them. The opaque of this
        // producer's context is `()`, for which the wrapper passes null, too. Only where the call succeeds does the record own the
        // headers.
        let code = unsafe {
            c::rd_kafka_producev(
                self.producer.client().native_ptr(),
                vtype::RD_KAFKA_VTYPE_RKT,
                self.handle.as_ptr(),
                vtype::RD_KAFKA_VTYPE_MSGFLAGS,
                c::RD_KAFKA_MSG_F_COPY,
                vtype::RD_KAFKA_VTYPE_VALUE,
                record.value.as_ptr(),
                record.value.len(),
                vtype::RD_KAFKA_VTYPE_KEY,
                record.key.as_ptr(),
                record.key.len(),
                vtype::RD_KAFKA_VTYPE_HEADERS,
                headers.0.as_ptr(),
                vtype::RD_KAFKA_VTYPE_END,
            )
        };
        if code == c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
            mem::forget(headers);
            return Ok(());
        }
        Err((code.into(), headers))
    }
}

impl<C: ProducerContext> Drop for Topic<C> {
    fn drop(&mut self) {
        // SAFETY: the handle is ours and not used after this; its producer is dropped later, with the field.
        unsafe { c::rd_kafka_topic_destroy(self.handle.as_ptr()) }
    }
}

/// Hands out the headers of a message, in their order. A header whose name isn't UTF-8 is passed over: it is none that
/// anybody asks for.
pub(crate) fn headers<'m>(message: &'m BorrowedMessage<'_>, mut each: impl FnMut(Header<'m>)) {
    let mut list = ptr::null_mut();
    // SAFETY: the message lives as long as the borrow `'m`; librdkafka parses its headers at the first call, keeps them in
    // the message and frees them with it. `list` is written only where the call succeeds.
    let found = unsafe { c::rd_kafka_message_headers(message.ptr(), &raw mut list) };
    if found != c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
        return;
    }
    let (mut name, mut value, mut size) = (ptr::null(), ptr::null(), 0);
    for at in 0.. {
        // SAFETY: `list` is the message's header list, and the index is checked by librdkafka, which then writes nothing.
        let found = unsafe { c::rd_kafka_header_get_all(list, at, &raw mut name, &raw mut value, &raw mut size) };
        if found != c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
            return;
        }
        // SAFETY: a header's name is a C string that librdkafka ends with a zero byte, and it lives as long as `'m`.
        let Ok(name) = unsafe { CStr::from_ptr(name) }.to_str() else { continue };
        // SAFETY: a value that isn't null has `size` bytes, and lives as long as `'m`.
        let value = (!value.is_null()).then(|| unsafe { slice::from_raw_parts(value.cast::<u8>(), size) });
        each(Header { name, value });
    }
}

fn millis(timeout: Duration) -> i32 {
    i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_done_after_an_error_is_the_most_cautious_of_what_is_said() {
        assert_eq!(CallClass::of(true, true, true), CallClass::Lost);
        assert_eq!(CallClass::of(false, true, true), CallClass::RequiresAbort);
        assert_eq!(CallClass::of(false, false, true), CallClass::Retriable);
        assert_eq!(CallClass::of(false, false, false), CallClass::Lost);
    }
}
