package peer;

import com.auth0.jwt.JWT;
import com.auth0.jwt.exceptions.JWTDecodeException;
import com.auth0.jwt.exceptions.SignatureVerificationException;
import com.auth0.jwt.interfaces.Claim;
import com.auth0.jwt.interfaces.DecodedJWT;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.crypto.Mac;

/** Whose an event is, whether its proof holds at its own time, and what becomes of each attribute. For one thread. */
final class Judge {
    private static final long LEEWAY_MS = 60_000;
    private static final int HASH_BYTES = 32;
    /** From this number on a time in a token is one of milliseconds. */
    private static final double MILLISECONDS_FROM = 1e12;
    private static final DateTimeFormatter STAMP =
            DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

    /** What an SDK sends that is no attribute. */
    private static final Set<String> NO_ATTRIBUTE = Set.of(
            "organization", "appId", "featurebaseJwt", "userHash", "companyHash", "userId", "email", "anonymousId",
            "companies", "theme", "themeMode", "language", "languageOverride", "hideDefaultLauncher", "alignment",
            "horizontalPadding", "verticalPadding", "actionColor", "backgroundColor", "messenger", "$brandId");
    private static final List<String> TIMES = List.of("exp", "nbf", "iat");
    private static final Set<String> REGISTERED = Set.of("iss", "sub", "aud", "exp", "nbf", "iat", "jti");

    private static final byte[] NOTHING = {};

    private final ObjectMapper mapper;
    private final Settings settings;
    private final Map<Settings.Secret, Mac> macs = new HashMap<>();

    Judge(ObjectMapper mapper, Settings settings) {
        this.mapper = mapper;
        this.settings = settings;
    }

    void judge(byte[] value, long timestamp, Verdict verdict) {
        verdict.eventTime = STAMP.format(Instant.ofEpochMilli(timestamp));
        JsonNode event;
        try {
            event = mapper.readTree(value == null ? NOTHING : value);
        } catch (IOException error) {
            verdict.reason = "malformed_json";
            return;
        }
        if (!(event.path("payload") instanceof ObjectNode payload)) {
            verdict.reason = "malformed_json";
            return;
        }
        verdict.eventId = text(event.get("id"));
        verdict.eventType = text(event.get("type"));
        verdict.userId = text(payload.get("userId"));
        verdict.email = text(payload.get("email"));
        verdict.anonymousId = text(event.path("context").get("anonymousId"));
        verdict.reason = rule(payload, timestamp, verdict);
    }

    /** The reason of a rejected event, else null. */
    private String rule(ObjectNode payload, long timestamp, Verdict verdict) {
        if (!"identify".equals(verdict.eventType) && !"boot".equals(verdict.eventType)) {
            return "unknown_type";
        }
        String slug = text(payload.get("organization"));
        if (slug == null) {
            return "missing_organization";
        }
        Settings.Organization organization = settings.organizations().get(slug);
        if (organization == null) {
            return "unknown_organization";
        }
        verdict.organization = slug;
        Map<String, JsonNode> claims = Map.of();
        String token = text(payload.get("featurebaseJwt"));
        String hash = text(payload.get("userHash"));
        String reason;
        if (token != null) {
            verdict.method = "jwt";
            claims = new HashMap<>();
            reason = verify(organization, token, timestamp, claims, verdict);
        } else if (hash != null) {
            verdict.method = "hmac";
            reason = verify(organization, hash, verdict);
        } else {
            verdict.method = "none";
            verdict.status = "anonymous";
            reason = nobody(verdict);
        }
        if (reason != null) {
            verdict.status = "failed";
            verdict.keyId = null;
            return reason;
        }
        decide(organization, claims, payload, verdict);
        return null;
    }

    private static String nobody(Verdict verdict) {
        if (verdict.userId != null || verdict.email != null) {
            return "proof_missing";
        }
        return verdict.anonymousId == null && verdict.eventType.equals("identify") ? "missing_identity" : null;
    }

    /** Fills in the claims of a token whose key, signature, times and identity are right. */
    private static String verify(
            Settings.Organization organization, String token, long timestamp, Map<String, JsonNode> claims, Verdict verdict) {
        DecodedJWT decoded = decoded(token);
        if (decoded == null) {
            return "token_malformed";
        }
        Settings.Key key = key(organization, decoded);
        if (key == null || !key.algorithm().getName().equals(decoded.getAlgorithm())) {
            return "algorithm_not_allowed";
        }
        try {
            // Compares in constant time.
            key.algorithm().verify(decoded);
        } catch (SignatureVerificationException error) {
            return "signature_invalid";
        }
        for (String name : TIMES) {
            String reason = misdated(decoded.getClaim(name));
            if (reason != null) {
                return reason;
            }
        }
        Instant expires = decoded.getExpiresAtAsInstant();
        if (expires != null && timestamp > expires.toEpochMilli() + LEEWAY_MS) {
            return "token_expired";
        }
        Instant from = decoded.getNotBeforeAsInstant();
        if (from != null && timestamp < from.toEpochMilli() - LEEWAY_MS) {
            return "token_not_yet_valid";
        }
        for (Map.Entry<String, Claim> claim : decoded.getClaims().entrySet()) {
            if (!REGISTERED.contains(claim.getKey())) {
                JsonNode value = claim.getValue().as(JsonNode.class);
                claims.put(claim.getKey(), value == null ? NullNode.instance : value);
            }
        }
        verdict.keyId = key.id();
        return agree(text(claims.get("userId")), text(claims.get("email")), verdict);
    }

    /** The token taken apart; null where it is none, or has a time that is no number or beyond all years: the library reads those. */
    private static DecodedJWT decoded(String token) {
        try {
            DecodedJWT decoded = JWT.decode(token);
            // A first question to both parts: of one that is JSON's null all questions fail.
            decoded.getAlgorithm();
            decoded.getSubject();
            return decoded;
        } catch (JWTDecodeException | DateTimeException | NullPointerException error) {
            return null;
        }
    }

    /** Why a time in a token is none; null where it is one, or isn't there. */
    private static String misdated(Claim time) {
        if (time.isMissing()) {
            return null;
        }
        Double seconds = time.asDouble();
        if (seconds == null) {
            return "time_malformed";
        }
        return seconds >= MILLISECONDS_FROM ? "time_in_milliseconds" : null;
    }

    private static Settings.Key key(Settings.Organization organization, DecodedJWT decoded) {
        Settings.Key key = decoded.getKeyId() == null ? null : organization.keys().get(decoded.getKeyId());
        if (key != null) {
            return key;
        }
        for (Settings.Key other : organization.keys().values()) {
            if (other.algorithm().getName().equals(decoded.getAlgorithm())) {
                return other;
            }
        }
        return null;
    }

    /** Whether the token names somebody, and whom the event names; the verdict's user is then the signed one. */
    private static String agree(String id, String email, Verdict verdict) {
        if (id == null && email == null) {
            return "token_identity_missing";
        }
        if (id != null && verdict.userId != null && !id.equals(verdict.userId)
                || email != null && verdict.email != null && !email.equalsIgnoreCase(verdict.email)) {
            return "identity_mismatch";
        }
        verdict.userId = id;
        verdict.email = email;
        verdict.status = "verified";
        return null;
    }

    private String verify(Settings.Organization organization, String hash, Verdict verdict) {
        String identifier = verdict.userId != null ? verdict.userId : verdict.email;
        if (identifier == null) {
            return "hash_without_identity";
        }
        byte[] given;
        try {
            given = HexFormat.of().parseHex(hash);
        } catch (IllegalArgumentException error) {
            return "hash_malformed";
        }
        if (given.length != HASH_BYTES) {
            return "hash_malformed";
        }
        for (Settings.Secret secret : organization.secrets()) {
            byte[] right = macs.computeIfAbsent(secret, Judge::mac).doFinal(identifier.getBytes(StandardCharsets.UTF_8));
            if (MessageDigest.isEqual(given, right)) {
                verdict.keyId = secret.id();
                verdict.status = "verified";
                return null;
            }
        }
        return "hash_mismatch";
    }

    private static Mac mac(Settings.Secret secret) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(secret.key());
            return mac;
        } catch (GeneralSecurityException error) {
            throw new IllegalStateException("every Java has HmacSHA256", error);
        }
    }

    /** Rules on every attribute: the signed ones, then those that the client sent beside them. */
    private static void decide(
            Settings.Organization organization, Map<String, JsonNode> claims, ObjectNode payload, Verdict verdict) {
        Page page = new Page(verdict, organization.attributes(), verdict.attributes, verdict.unset, null);
        for (Map.Entry<String, JsonNode> claim : claims.entrySet()) {
            if (!NO_ATTRIBUTE.contains(claim.getKey())) {
                page.rule(claim.getKey(), claim.getValue(), true, false);
            }
        }
        for (Map.Entry<String, JsonNode> member : payload.properties()) {
            if (!NO_ATTRIBUTE.contains(member.getKey())) {
                page.rule(member.getKey(), member.getValue(), false, claims.containsKey(member.getKey()));
            }
        }
        if (verdict.method.equals("hmac") && verdict.userId != null && verdict.email != null) {
            // The hash covers the user's id: the address is an attribute.
            verdict.email = null;
            page.rule("email", payload.get("email"), false, false);
        }
        companies(organization, claims.get("companies"), true, verdict);
        companies(organization, payload.get("companies"), false, verdict);
    }

    private static void companies(Settings.Organization organization, JsonNode list, boolean signed, Verdict verdict) {
        if (list == null || list.isNull()) {
            return;
        }
        if (!list.isArray()) {
            String reason = signed || !organization.membershipLocked() ? "wrong_type" : "locked";
            verdict.refuse(verdict.rejected, "companies", null, reason);
            return;
        }
        for (JsonNode company : list) {
            String id = text(company.get("id"));
            if (id == null) {
                verdict.refuse(verdict.rejected, "companies", null, "company_id_missing");
            } else if (!signed && organization.membershipLocked()) {
                verdict.refuse(verdict.rejected, "companies", id, "locked");
            } else {
                member(organization, id, company, signed, verdict);
            }
        }
    }

    private static void member(
            Settings.Organization organization, String id, JsonNode company, boolean signed, Verdict verdict) {
        if (verdict.companies == null) {
            verdict.companies = verdict.attributes.arrayNode();
        }
        ObjectNode told = verdict.companies.addObject().put("id", id).put("verified", signed);
        ArrayNode unset = verdict.attributes.arrayNode();
        Page page = new Page(verdict, organization.companyAttributes(), told.putObject("attributes"), unset, id);
        told.set("unset", unset);
        for (Map.Entry<String, JsonNode> member : company.properties()) {
            if (!member.getKey().equals("id")) {
                page.rule(member.getKey(), member.getValue(), signed, false);
            }
        }
    }

    /** Where attributes of one owner are ruled on. */
    private record Page(
            Verdict verdict, Map<String, Settings.Attribute> table, ObjectNode set, ArrayNode unset, String company) {
        void rule(String name, JsonNode value, boolean signed, boolean superseded) {
            Settings.Attribute attribute = table.get(name);
            if (attribute == null) {
                verdict.refuse(verdict.dropped, name, company, "not_configured");
            } else if (attribute.locked() && !signed) {
                verdict.refuse(verdict.rejected, name, company, "locked");
            } else if (superseded) {
                verdict.refuse(verdict.dropped, name, company, "superseded");
            } else if (value.isNull()) {
                unset.addObject().put("attribute", name).put("verified", signed);
            } else {
                JsonNode told = attribute.type() == Settings.Type.DATE ? date(value) : value;
                String reason = told == null ? "wrong_type" : misfit(attribute, value);
                if (reason == null) {
                    set.putObject(name).<ObjectNode>set("value", told).put("verified", signed);
                } else {
                    verdict.refuse(verdict.rejected, name, company, reason);
                }
            }
        }

        /** The date as it is emitted; null where the value is none. */
        private JsonNode date(JsonNode value) {
            try {
                return value.isTextual() ? set.textNode(STAMP.format(OffsetDateTime.parse(value.textValue()))) : null;
            } catch (DateTimeParseException error) {
                return null;
            }
        }
    }

    private static String misfit(Settings.Attribute attribute, JsonNode value) {
        return switch (attribute.type()) {
            case TEXT -> value.isTextual() ? misfit(attribute, value.textValue()) : "wrong_type";
            case NUMBER -> value.isNumber() && Double.isFinite(value.doubleValue()) ? null : "wrong_type";
            case BOOLEAN -> value.isBoolean() ? null : "wrong_type";
            case DATE -> null;
            case TEXT_LIST -> misfitList(attribute, value);
        };
    }

    private static String misfitList(Settings.Attribute attribute, JsonNode list) {
        if (!list.isArray()) {
            return "wrong_type";
        }
        for (JsonNode item : list) {
            String reason = item.isTextual() ? misfit(attribute, item.textValue()) : "wrong_type";
            if (reason != null) {
                return reason;
            }
        }
        return null;
    }

    private static String misfit(Settings.Attribute attribute, String text) {
        if (text.length() > attribute.maxChars() && text.codePointCount(0, text.length()) > attribute.maxChars()) {
            return "too_long";
        }
        return attribute.options().isEmpty() || attribute.options().contains(text) ? null : "not_an_option";
    }

    /** A text of an identity; absent where it is empty or none. */
    private static String text(JsonNode value) {
        if (value == null || !(value.isTextual() || value.isIntegralNumber()) || value.asText().isEmpty()) {
            return null;
        }
        return value.asText();
    }
}
