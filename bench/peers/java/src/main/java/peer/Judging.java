package peer;

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
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final Judge judge;
    private ProcessorContext<byte[], byte[]> context;

    Judging(Settings settings) {
        judge = new Judge(MAPPER, settings);
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

    private void forward(Record<byte[], byte[]> record, RecordMetadata source, Verdict verdict, String channel) {
        Headers headers = new RecordHeaders();
        String position = source.topic() + "/" + source.partition() + "/" + source.offset() + "/" + channel;
        headers.add("ce_id", bytes(position));
        headers.add("ce_type", bytes("attrsync.verdict." + verdict.name()));
        List<String> reasons = verdict.reasons();
        if (!reasons.isEmpty()) {
            headers.add("attrsync-reason", bytes(String.join(",", reasons)));
        }
        ObjectNode told = verdict.told(channel.equals(Main.ACCEPTED));
        String key = verdict.key();
        byte[] keyBytes = key == null ? null : bytes(key);
        context.forward(new Record<>(keyBytes, json(told), record.timestamp(), headers), channel);
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
