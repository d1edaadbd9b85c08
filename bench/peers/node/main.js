// The same judgement as attrsync's, as a Node service would be written: kafkajs, fast-jwt. kafkajs hands over one partition's batch
// at a time and a producer has one transaction at a time, so a batch is a transaction; a fetch is bounded to what is judged in about
// one commit interval.

import { readFileSync } from "node:fs";
import kafkajs from "kafkajs";
import lz4 from "lz4-napi";
import { Settings } from "./judge.js";
import { outputs } from "./verdict.js";

const { CompressionCodecs, CompressionTypes, Kafka, Partitioners, logLevel } = kafkajs;
const { PEER_BROKERS, PEER_INPUT, PEER_ACCEPTED, PEER_REJECTED, PEER_GROUP, PEER_SOURCE, PEER_SETTINGS, PEER_COMMIT_MS } = process.env;
/** What one core judges and sends in a millisecond, in bytes of input. */
const BYTES_A_MILLISECOND = 20_000;

CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: (encoder) => lz4.compressFrame(encoder.buffer),
  decompress: (buffer) => lz4.decompressFrame(buffer),
});

const settings = new Settings(JSON.parse(readFileSync(PEER_SETTINGS, "utf8")));
const kafka = new Kafka({ brokers: PEER_BROKERS.split(","), logLevel: logLevel.WARN });
const producer = kafka.producer({
  transactionalId: PEER_GROUP,
  idempotent: true,
  maxInFlightRequests: 1,
  createPartitioner: Partitioners.DefaultPartitioner,
});
const consumer = kafka.consumer({
  groupId: PEER_GROUP,
  readUncommitted: false,
  maxBytesPerPartition: BYTES_A_MILLISECOND * Number(PEER_COMMIT_MS),
  maxWaitTimeInMs: 100,
});

/** Judges a batch, and sends verdicts and offset in one transaction. */
async function eachBatch({ batch, heartbeat }) {
  const accepted = [];
  const rejected = [];
  for (const message of batch.messages) {
    outputs(settings, PEER_SOURCE, batch, message, accepted, rejected);
  }
  const transaction = await producer.transaction();
  try {
    const topicMessages = [
      { topic: PEER_ACCEPTED, messages: accepted },
      { topic: PEER_REJECTED, messages: rejected },
    ].filter(({ messages }) => messages.length > 0);
    await transaction.sendBatch({ topicMessages, compression: CompressionTypes.LZ4 });
    const offset = String(BigInt(batch.lastOffset()) + 1n);
    await transaction.sendOffsets({
      consumerGroupId: PEER_GROUP,
      topics: [{ topic: batch.topic, partitions: [{ partition: batch.partition, offset }] }],
    });
    await transaction.commit();
  } catch (error) {
    await transaction.abort();
    throw error;
  }
  await heartbeat();
}

async function stop() {
  await consumer.disconnect();
  await producer.disconnect();
}

process.once("SIGTERM", () => stop().then(() => process.exit(0)));
await producer.connect();
await consumer.connect();
await consumer.subscribe({ topics: [PEER_INPUT], fromBeginning: true });
await consumer.run({ autoCommit: false, eachBatch });
