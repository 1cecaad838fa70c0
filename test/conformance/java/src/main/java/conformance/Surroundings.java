package conformance;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.UUID;

/** What the checks know of the server they run against: what {@code ponto env} prints, and what the upstream saw. */
final class Surroundings {
    static final String INFERENCE_URL = System.getenv("AZUREAI_ENDPOINT_URL");
    static final String ROOT_URL = System.getenv("AZURE_OPENAI_ENDPOINT");
    static final String V1_URL = ROOT_URL + "/openai/v1";
    static final String KEY = System.getenv("AZUREAI_ENDPOINT_KEY");

    /** How long the upstream asks a limited caller to wait. */
    static final int RETRY_AFTER_MS = Integer.parseInt(System.getenv("CONFORMANCE_RETRY_AFTER_MS"));

    /** An answer to it needs more than one byte a character. */
    static final String QUESTION = "Grüße an 世界 👋, wie geht es?";
    static final String RIEMANN = "Explain Riemann's conjecture in 1 paragraph";
    static final List<List<Float>> VECTORS = List.of(List.of(3f, 0f, 0.25f, -1.5f), List.of(5f, 1f, 0.25f, -1.5f));
    static final String WEATHER_SCHEMA =
        "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"}},\"required\":[\"city\"]}";

    /** Deployments of each kind of upstream that answers well, in any case. */
    static final List<String> MODELS =
        List.of("Relay-Chat", "RELAY-CHAT", "relay-azure", "Relay-Foundry", "relay-untidy");

    /** Words that filters of the server look for: in prompts alone, in answers alone, and without any list. */
    static final String ASKED_TERM = System.getenv("CONFORMANCE_ASKED_TERM");
    static final String SAID_TERM = System.getenv("CONFORMANCE_SAID_TERM");
    static final String THREAT = System.getenv("CONFORMANCE_THREAT");

    /** Azure's own names for the server, which the runner makes this program resolve. */
    static final List<String> AZURE_HOSTS = List.of(System.getenv("CONFORMANCE_AZURE_HOSTS").split(","));

    private static final String UPSTREAM_URL = System.getenv("CONFORMANCE_UPSTREAM");
    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static final JsonMapper JSON = new JsonMapper();

    private Surroundings() {
    }

    /** A text that finds a check's own requests again at the upstream. */
    static String newMark() {
        return "mark-" + UUID.randomUUID();
    }

    /** The requests that reached the upstream with this mark, once all of them are over. */
    static JsonNode listSeen(String mark) {
        return parse(get("/seen/" + mark));
    }

    static void expectCutOff(String mark) {
        Expect.equal(listSeen(mark).get(0).get("isWhole").asBoolean(), false);
    }

    /** The client must have come back once, and not before the time that it was told. */
    static void expectPatience(String mark) {
        JsonNode seen = listSeen(mark);
        Expect.equal(seen.size(), 2);
        long waitedMs = seen.get(1).get("receivedAtMs").asLong() - seen.get(0).get("receivedAtMs").asLong();
        Expect.that(waitedMs >= RETRY_AFTER_MS, "it waited " + waitedMs + " ms");
    }

    /** Lets the gated answer to the request with this mark go on. */
    static void release(String mark) {
        get("/release/" + mark);
    }

    static JsonNode parse(String text) {
        try {
            return JSON.readTree(text);
        } catch (IOException error) {
            throw new AssertionError("not JSON: " + text, error);
        }
    }

    private static String get(String path) {
        URI url = URI.create(UPSTREAM_URL + path);
        HttpRequest request = HttpRequest.newBuilder(url).timeout(Duration.ofSeconds(30)).build();
        try {
            return HTTP.send(request, HttpResponse.BodyHandlers.ofString()).body();
        } catch (IOException | InterruptedException error) {
            throw new AssertionError("the upstream did not answer " + path, error);
        }
    }
}
