"""The same judgement as attrsync's, as a Python service would be written: confluent-kafka, PyJWT, orjson. One transaction carries the
verdicts and the offsets of everything consumed within the commit interval."""

import os
import signal
import time

import orjson
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer

from judge import Settings
from verdict import outputs

ENV = {name: os.environ[f"PEER_{name}"] for name in
       ("BROKERS", "INPUT", "ACCEPTED", "REJECTED", "GROUP", "SOURCE", "SETTINGS", "COMMIT_MS")}
# Messages between two looks at the clock: some milliseconds' worth.
BATCH = 50


def consumer():
    made = Consumer({
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
    made.subscribe([ENV["INPUT"]])
    return made


def producer():
    made = Producer({
        "bootstrap.servers": ENV["BROKERS"],
        "transactional.id": ENV["GROUP"],
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
        self.running = True

    def run(self):
        while self.running:
            messages = self.consumer.consume(BATCH, timeout=0.1)
            if messages:
                self.transact(messages)
        self.consumer.close()

    def transact(self, messages):
        """Judges these and whatever else comes within the commit interval, and commits."""
        until = time.monotonic() + int(ENV["COMMIT_MS"]) / 1000
        self.producer.begin_transaction()
        try:
            while True:
                for message in messages:
                    self.judge(message)
                self.producer.poll(0)
                left = until - time.monotonic()
                if left <= 0:
                    break
                messages = self.consumer.consume(BATCH, timeout=left)
            self.producer.send_offsets_to_transaction(
                self.consumer.position(self.consumer.assignment()), self.consumer.consumer_group_metadata())
            self.producer.commit_transaction()
        except KafkaException:
            # The process ends with it, and what starts it anew goes on from what is committed.
            self.producer.abort_transaction()
            raise

    def judge(self, message):
        if (error := message.error()) is not None:
            if error.code() == KafkaError._PARTITION_EOF:
                return
            raise KafkaException(error)
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
