package peer;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;

/** Judges each record and forwards the one or two that tell its verdict. */
final class Judging implements Processor<byte[], byte[], byte[], byte[]> {
    private static final ObjectMapper MAPPER = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    private static final byte[] SPECVERSION = bytes("1.0");
    private static final byte[] CONTENT_TYPE = bytes("application/json");

    private final Judge judge;
    private final byte[] source;
    private ProcessorContext<byte[], byte[]> context;

    Judging(Settings settings, String source) {
        judge = new Judge(MAPPER, settings);
        this.source = bytes(source);
    }

    @Override
    public void init(ProcessorContext<byte[], byte[]> context) {
        this.context = context;
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
        RecordMetadata source = context.recordMetadata().orElseThrow();
        Verdict verdict = new Verdict(MAPPER);
        judge.judge(record.value(), record.timestamp(), verdict);
        verdict.source(source, record.timestamp());
        if (verdict.reason == null) {
            forward(record, source, verdict, Main.ACCEPTED);
        }
        if (verdict.reason != null || !verdict.rejected.isEmpty()) {
            forward(record, source, verdict, Main.REJECTED);
        }
    }

    private void forward(Record<byte[], byte[]> record, RecordMetadata position, Verdict verdict, String channel) {
        ObjectNode told = verdict.told(channel.equals(Main.ACCEPTED));
        String key = verdict.key();
        byte[] keyBytes = key == null ? null : bytes(key);
        Headers headers = headers(position, verdict, channel, keyBytes);
        context.forward(new Record<>(keyBytes, json(told), record.timestamp(), headers), channel);
    }

    /** Those of CloudEvents 1.0 in Kafka's binary mode, and those by which a subscriber filters; none for what isn't known. */
    private Headers headers(RecordMetadata position, Verdict verdict, String channel, byte[] key) {
        Headers headers = new RecordHeaders();
        String id = position.topic() + "/" + position.partition() + "/" + position.offset() + "/" + channel;
        headers.add("ce_specversion", SPECVERSION);
        add(headers, "ce_id", id);
        headers.add("ce_source", source);
        add(headers, "ce_type", "attrsync.verdict." + verdict.name());
        add(headers, "ce_time", verdict.eventTime);
        if (key != null) {
            headers.add("ce_subject", key);
        }
        headers.add("content-type", CONTENT_TYPE);
        List<String> reasons = verdict.reasons();
        if (!reasons.isEmpty()) {
            add(headers, "attrsync-reason", String.join(",", reasons));
        }
        add(headers, "attrsync-organization", verdict.organization);
        add(headers, "attrsync-event-type", verdict.eventType);
        if (verdict.method != null) {
            add(headers, "attrsync-verification", verdict.method + "/" + verdict.status);
        }
        return headers;
    }

    private static void add(Headers headers, String name, String value) {
        if (value != null) {
            headers.add(name, bytes(value));
        }
    }

    private static byte[] json(ObjectNode node) {
        try {
            return MAPPER.writeValueAsBytes(node);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
