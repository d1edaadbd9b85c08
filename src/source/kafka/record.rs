//! A Kafka message as the stages see it: borrowed from librdkafka's own buffers, nothing copied but the list of headers.

use rdkafka::message::{BorrowedMessage, Message as _};

use crate::{
    domain::{Arena, EventTime, Offset, Partition, Position, Record},
    native,
};

/// The record in a message. The list of its headers lies in the arena; all else stays where librdkafka has it.
pub(crate) fn record<'a>(message: &'a BorrowedMessage<'_>, arena: &'a Arena) -> Record<'a> {
    let mut headers = arena.list();
    native::headers(message, |header| headers.push(header));
    Record {
        position: Position {
            topic: message.topic(),
            partition: Partition(message.partition()),
            offset: Offset(message.offset()),
        },
        timestamp: message.timestamp().to_millis().map(EventTime::from_millis),
        key: message.key(),
        headers: headers.into_bump_slice(),
        value: message.payload(),
        line: None,
    }
}
