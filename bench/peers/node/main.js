// The same judgement as attrsync's, as a Node service would be written: kafkajs, fast-jwt. kafkajs hands over one partition's batch
// at a time, and a producer has one transaction at a time: as many events of a batch are one as can be judged and sent within the commit
// interval, and what is left at its end.

import { readFileSync } from "node:fs";
import kafkajs from "kafkajs";
import lz4 from "lz4-napi";
import { Settings } from "./judge.js";
import { outputs } from "./verdict.js";

const { CompressionCodecs, CompressionTypes, Kafka, Partitioners, logLevel } = kafkajs;
const { PEER_BROKERS, PEER_INPUT, PEER_ACCEPTED, PEER_REJECTED, PEER_GROUP, PEER_SOURCE, PEER_SETTINGS, PEER_COMMIT_MS } = process.env;
const COMMIT_MS = Number(PEER_COMMIT_MS);

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
  maxWaitTimeInMs: 100,
});

/** Events that are judged and sent within a commit interval, as far as is known. */
let share = 100;

/** Judges a batch, a share of it at a time. */
async function eachBatch({ batch, resolveOffset, heartbeat, isRunning, isStale }) {
  const { messages } = batch;
  for (let from = 0; from < messages.length && isRunning() && !isStale(); ) {
    const to = Math.min(from + share, messages.length);
    await transact(batch, messages.slice(from, to), to === messages.length);
    // What is fetched again after an error begins behind it.
    resolveOffset(messages[to - 1].offset);
    await heartbeat();
    from = to;
  }
}

/** Judges these messages, the last ones of the batch or not, and sends verdicts and offset in one transaction. */
async function transact(batch, messages, last) {
  const begun = performance.now();
  const accepted = [];
  const rejected = [];
  for (const message of messages) {
    outputs(settings, PEER_SOURCE, batch, message, accepted, rejected);
  }
  const transaction = await producer.transaction();
  try {
    const topicMessages = [
      { topic: PEER_ACCEPTED, messages: accepted },
      { topic: PEER_REJECTED, messages: rejected },
    ].filter(({ messages }) => messages.length > 0);
    await transaction.sendBatch({ topicMessages, compression: CompressionTypes.LZ4 });
    const took = performance.now() - begun;
    // Of the few that a batch may end with most is what a transaction costs by itself: they tell nothing of more.
    if (!last || took > COMMIT_MS) share = Math.ceil((messages.length * COMMIT_MS) / took);
    // Behind a batch's last message there may be records that are none, as those that end a transaction.
    const end = last ? batch.lastOffset() : messages.at(-1).offset;
    const partition = { partition: batch.partition, offset: String(BigInt(end) + 1n) };
    await transaction.sendOffsets({ consumerGroupId: PEER_GROUP, topics: [{ topic: batch.topic, partitions: [partition] }] });
    await transaction.commit();
  } catch (error) {
    await transaction.abort();
    throw error;
  }
}

async function stop() {
  await consumer.disconnect();
  await producer.disconnect();
}

process.once("SIGTERM", () => stop().then(() => process.exit(0)));
await producer.connect();
await consumer.connect();
await consumer.subscribe({ topics: [PEER_INPUT], fromBeginning: true });
await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch });
