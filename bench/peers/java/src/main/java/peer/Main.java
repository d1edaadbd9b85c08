package peer;

import java.io.IOException;
import java.nio.file.Path;
import java.security.Security;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.conscrypt.Conscrypt;

/**
 * The same judgement as attrsync's, as a Java service would be written: Kafka Streams with exactly_once_v2, java-jwt, Jackson. One
 * processor between one source and two sinks, a thread for each core.
 */
public final class Main {
    static final String ACCEPTED = "accepted";
    static final String REJECTED = "rejected";

    /** What Conscrypt is asked for. The names of services keep the rest of the JDK's from meeting its parts. */
    private static final String NATIVE = "Signature.SHA256withECDSA:Conscrypt, KeyFactory.EC:Conscrypt,"
            + " Signature.SHA256withRSA:Conscrypt, KeyFactory.RSA:Conscrypt";

    private Main() {}

    public static void main(String[] arguments) throws IOException {
        Map<String, String> env = System.getenv();
        preferNativeSignatures();
        Settings settings = Settings.read(Path.of(env.get("PEER_SETTINGS")));
        Topology topology = new Topology();
        topology.addSource("events", env.get("PEER_INPUT"));
        topology.addProcessor("judge", () -> new Judging(settings, env.get("PEER_SOURCE")), "events");
        topology.addSink(ACCEPTED, env.get("PEER_ACCEPTED"), "judge");
        topology.addSink(REJECTED, env.get("PEER_REJECTED"), "judge");
        KafkaStreams streams = new KafkaStreams(topology, properties(env));
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
    }

    /**
     * ECDSA and RSA by BoringSSL, where Conscrypt brings it for this machine: of JDK 17's own, which are written in Java, ECDSA takes
     * ten times as long and RSA twice. The keys are its own as well, so that none is converted for each token.
     */
    private static void preferNativeSignatures() {
        // Read once, when anything first asks for a provider, as Conscrypt itself does.
        Security.setProperty("jdk.security.provider.preferred", NATIVE);
        if (Conscrypt.isAvailable()) {
            Security.addProvider(Conscrypt.newProvider());
        }
    }

    private static Properties properties(Map<String, String> env) {
        Properties properties = new Properties();
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, env.get("PEER_GROUP"));
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, env.get("PEER_BROKERS"));
        properties.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        properties.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, env.get("PEER_COMMIT_MS"));
        properties.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, Runtime.getRuntime().availableProcessors());
        properties.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
        properties.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
        properties.put(StreamsConfig.STATE_DIR_CONFIG, env.get("PEER_STATE"));
        properties.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        properties.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 5000);
        properties.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "lz4");
        properties.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 256 * 1024);
        return properties;
    }
}
