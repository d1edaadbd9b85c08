package peer;

import com.auth0.jwt.algorithms.Algorithm;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.crypto.spec.SecretKeySpec;

/** The organizations by slug, read once: keys are parsed here and kept. */
record Settings(Map<String, Organization> organizations) {
    record Organization(
            String slug,
            Map<String, Key> keys,
            List<Secret> secrets,
            Map<String, Attribute> attributes,
            Map<String, Attribute> companyAttributes,
            boolean membershipLocked) {}

    record Key(String id, Algorithm algorithm) {}

    record Secret(String id, SecretKeySpec key) {}

    enum Type { TEXT, NUMBER, BOOLEAN, DATE, TEXT_LIST }

    record Attribute(Type type, int maxChars, Set<String> options, boolean locked) {}

    static Settings read(Path path) throws IOException {
        Map<String, Organization> organizations = new HashMap<>();
        for (JsonNode node : new ObjectMapper().readTree(path.toFile()).path("organizations")) {
            organizations.put(node.path("slug").asText(), organization(node));
        }
        return new Settings(organizations);
    }

    private static Organization organization(JsonNode node) {
        Map<String, Key> keys = new LinkedHashMap<>();
        for (JsonNode key : node.path("jwt_keys")) {
            String id = key.path("id").asText();
            keys.put(id, new Key(id, algorithm(key)));
        }
        List<Secret> secrets = new ArrayList<>();
        for (JsonNode secret : node.path("identity_secrets")) {
            byte[] bytes = secret.path("secret").asText().getBytes(StandardCharsets.UTF_8);
            secrets.add(new Secret(secret.path("id").asText(), new SecretKeySpec(bytes, "HmacSHA256")));
        }
        return new Organization(
                node.path("slug").asText(),
                keys,
                secrets,
                attributes(node.path("attributes")),
                attributes(node.path("company_attributes")),
                node.path("membership").path("locked").asBoolean(true));
    }

    private static Map<String, Attribute> attributes(JsonNode table) {
        Map<String, Attribute> attributes = new HashMap<>();
        for (Map.Entry<String, JsonNode> entry : table.properties()) {
            JsonNode node = entry.getValue();
            Set<String> options = new HashSet<>();
            node.path("options").forEach(option -> options.add(option.asText()));
            Type type = Type.valueOf(node.path("type").asText().toUpperCase(java.util.Locale.ROOT));
            attributes.put(
                    entry.getKey(),
                    new Attribute(type, node.path("max_chars").asInt(255), options, node.path("locked").asBoolean()));
        }
        return attributes;
    }

    private static Algorithm algorithm(JsonNode key) {
        String pem = key.path("public_key").asText();
        return switch (key.path("algorithm").asText()) {
            case "HS256" -> Algorithm.HMAC256(key.path("secret").asText());
            case "RS256" -> Algorithm.RSA256((RSAPublicKey) publicKey("RSA", pem), null);
            case "ES256" -> Algorithm.ECDSA256((ECPublicKey) publicKey("EC", pem), null);
            default -> throw new IllegalArgumentException(key.path("algorithm").asText() + " is not supported");
        };
    }

    private static PublicKey publicKey(String family, String pem) {
        byte[] der = Base64.getMimeDecoder().decode(pem.replaceAll("-----[A-Z ]+-----", ""));
        try {
            return KeyFactory.getInstance(family).generatePublic(new X509EncodedKeySpec(der));
        } catch (GeneralSecurityException error) {
            throw new IllegalArgumentException("not a public key", error);
        }
    }
}
