package peer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.streams.processor.api.RecordMetadata;

/** A verdict on its way; a rejected record carries no values. */
final class Verdict {
    String reason;
    String eventId;
    String eventType;
    String eventTime;
    String organization;
    String userId;
    String email;
    String anonymousId;
    String method;
    String status;
    String keyId;
    final ObjectNode attributes;
    final ArrayNode unset;
    final ArrayNode rejected;
    final ArrayNode dropped;
    ArrayNode companies;
    private final ObjectMapper mapper;
    private ObjectNode source;

    Verdict(ObjectMapper mapper) {
        this.mapper = mapper;
        attributes = mapper.createObjectNode();
        unset = mapper.createArrayNode();
        rejected = mapper.createArrayNode();
        dropped = mapper.createArrayNode();
    }

    String name() {
        if (reason != null) {
            return "rejected";
        }
        return rejected.isEmpty() ? "accepted" : "partial";
    }

    /** The event's reason, else those of its rejected attributes, each once. */
    List<String> reasons() {
        if (reason != null) {
            return List.of(reason);
        }
        List<String> reasons = new ArrayList<>(1);
        for (JsonNode refused : rejected) {
            String code = refused.get("reason").textValue();
            if (!reasons.contains(code)) {
                reasons.add(code);
            }
        }
        return reasons;
    }

    String key() {
        String identity = userId != null ? userId : email != null ? email : anonymousId;
        return organization == null || identity == null ? null : organization + ":" + identity;
    }

    void source(RecordMetadata metadata, long timestamp) {
        source = mapper.createObjectNode();
        source.put("topic", metadata.topic()).put("partition", metadata.partition());
        source.put("offset", metadata.offset()).put("timestamp", timestamp);
    }

    void refuse(ArrayNode list, String attribute, String company, String why) {
        list.addObject().put("attribute", attribute).put("company", company).put("reason", why);
    }

    ObjectNode told(boolean whole) {
        ObjectNode told = mapper.createObjectNode();
        told.put("verdict", name()).put("reason", reason);
        told.putObject("event").put("id", eventId).put("type", eventType).put("time", eventTime);
        told.put("organization", organization);
        told.putObject("user").put("userId", userId).put("email", email).put("anonymousId", anonymousId);
        told.putObject("verification").put("method", method).put("status", status).put("keyId", keyId);
        if (whole) {
            told.set("attributes", attributes);
            told.set("unset", unset);
            told.set("companies", companies);
        }
        told.set("rejected", rejected);
        told.set("dropped", dropped);
        told.set("source", source);
        return told;
    }
}
