"""The same judgement as attrsync's, as a Python service would be written: confluent-kafka, PyJWT, orjson. One transaction carries the
verdicts and the offsets of everything consumed within the commit interval."""

import os
import signal
import time

import orjson
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from judge import Settings
from verdict import outputs

ENV = {name: os.environ[f"PEER_{name}"] for name in
       ("BROKERS", "INPUT", "ACCEPTED", "REJECTED", "GROUP", "SOURCE", "SETTINGS", "COMMIT_MS")}
# Messages between two looks at the clock: some milliseconds' worth.
BATCH = 50
COMMIT_S = int(ENV["COMMIT_MS"]) / 1000


def consumer():
    return Consumer({
        "bootstrap.servers": ENV["BROKERS"],
        "group.id": ENV["GROUP"],
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "isolation.level": "read_committed",
        # Its default lets the consumer stall for a second whenever its queue is full.
        "fetch.queue.backoff.ms": 10,
        # Seconds of work. With its default of 64 MB the rest is memory alone.
        "queued.max.messages.kbytes": 4096,
        "fetch.max.bytes": 2 * 1024 * 1024,
        "max.partition.fetch.bytes": 256 * 1024,
    })


def producer():
    made = Producer({
        "bootstrap.servers": ENV["BROKERS"],
        "transactional.id": ENV["GROUP"],
        # The Java client's: with librdkafka's own a key would be in another partition than anybody else's.
        "partitioner": "murmur2_random",
        "compression.type": "lz4",
        # A full batch is sent at once, and a commit sends what waits.
        "linger.ms": 1000,
        # Python is called back for what failed alone.
        "delivery.report.only.error": True,
    })
    made.init_transactions()
    return made


class Worker:
    def __init__(self, settings):
        self.settings = settings
        self.consumer = consumer()
        self.producer = producer()
        # Where each partition goes on behind the open transaction; empty while none is open.
        self.offsets = {}
        self.revoked = False
        self.running = True

    def run(self):
        self.consumer.subscribe([ENV["INPUT"]], on_revoke=self.revoke)
        try:
            while self.running:
                self.transact()
        except KafkaException:
            # The process ends with it, and what starts it anew goes on from what is committed.
            if self.offsets:
                self.producer.abort_transaction()
            raise
        self.consumer.close()

    def transact(self):
        """Judges some messages and whatever else comes within the commit interval, and commits."""
        messages = self.consume(0.1)
        until = time.monotonic() + COMMIT_S
        while messages:
            for message in messages:
                self.judge(message)
            left = until - time.monotonic()
            messages = self.consume(left) if left > 0 else []
        self.commit()

    def consume(self, timeout):
        """Some messages. Where partitions were revoked meanwhile, some may have been fetched before: all are read again."""
        self.revoked = False
        messages = self.consumer.consume(BATCH, timeout)
        if not self.revoked:
            return messages
        if assigned := self.consumer.assignment():
            self.consumer.assign(self.consumer.committed(assigned))
        return []

    def revoke(self, *_):
        """Commits before the partitions go: who has them next goes on behind it. Where they are gone already the broker refuses."""
        self.commit()
        self.revoked = True

    def commit(self):
        """Commits the open transaction, if there is one, with the offsets of all that was judged in it."""
        if self.offsets:
            offsets = [TopicPartition(ENV["INPUT"], *at) for at in self.offsets.items()]
            self.producer.send_offsets_to_transaction(offsets, self.consumer.consumer_group_metadata())
            self.producer.commit_transaction()
            self.offsets.clear()

    def judge(self, message):
        if (error := message.error()) is not None:
            raise KafkaException(error)
        if not self.offsets:
            self.producer.begin_transaction()
        self.offsets[message.partition()] = message.offset() + 1
        for channel, key, value, headers in outputs(self.settings, ENV["SOURCE"], message):
            topic = ENV["ACCEPTED"] if channel == "accepted" else ENV["REJECTED"]
            try:
                self.producer.produce(topic, value, key, headers=headers)
            except BufferError:
                self.producer.flush()
                self.producer.produce(topic, value, key, headers=headers)

    def stop(self, *_):
        self.running = False


def main():
    with open(ENV["SETTINGS"], "rb") as file:
        worker = Worker(Settings(orjson.loads(file.read())))
    signal.signal(signal.SIGTERM, worker.stop)
    worker.run()


main()
