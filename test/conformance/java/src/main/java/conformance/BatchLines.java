package conformance;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.Supplier;

/** Lines of the files of batches, and batches that take a while. */
final class BatchLines {
    /** How long a batch of a few lines may take. */
    private static final int LIMIT_MS = 30_000;
    private static final JsonMapper JSON = new JsonMapper();

    private BatchLines() {
    }

    /** A line of an input that asks for a chat. */
    static String write(String customId, String model, String text) {
        var message = Map.of("role", "user", "content", text);
        var body = Map.of("model", model, "messages", List.of(message));
        var line = Map.of("custom_id", customId, "method", "POST", "url", "/v1/chat/completions", "body", body);
        return JSON.valueToTree(line).toString() + "\n";
    }

    /** The lines of an output or error file by their custom ids. */
    static Map<String, JsonNode> read(String text) {
        Map<String, JsonNode> found = new LinkedHashMap<>();
        text.lines().forEach(line -> {
            JsonNode node = Surroundings.parse(line);
            String customId = node.get("custom_id").asText();
            Expect.that(found.put(customId, node) == null, customId + " is there twice");
        });
        return found;
    }

    static String answerOf(JsonNode line) {
        return line.get("response").get("body").get("choices").get(0).get("message").get("content").asText();
    }

    /** Asks until the batch is so. */
    static <B> B await(Supplier<B> ask, Predicate<B> isSo) throws InterruptedException {
        long endMs = System.currentTimeMillis() + LIMIT_MS;
        B batch = ask.get();
        while (!isSo.test(batch)) {
            Expect.that(System.currentTimeMillis() < endMs, "the batch stays as it is: " + batch);
            Thread.sleep(100);
            batch = ask.get();
        }
        return batch;
    }
}
