package conformance;

import static conformance.Surroundings.VECTORS;

import com.azure.ai.inference.EmbeddingsAsyncClient;
import com.azure.ai.inference.EmbeddingsClient;
import com.azure.ai.inference.EmbeddingsClientBuilder;
import com.azure.ai.inference.ImageEmbeddingsClient;
import com.azure.ai.inference.ImageEmbeddingsClientBuilder;
import com.azure.ai.inference.models.EmbeddingEncodingFormat;
import com.azure.ai.inference.models.EmbeddingItem;
import com.azure.ai.inference.models.EmbeddingsResult;
import com.azure.ai.inference.models.ImageEmbeddingInput;
import com.azure.core.credential.AzureKeyCredential;
import com.azure.core.exception.ClientAuthenticationException;
import com.azure.core.util.ClientOptions;
import com.azure.core.util.Header;
import com.fasterxml.jackson.databind.JsonNode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** azure-ai-inference, EmbeddingsClient, EmbeddingsAsyncClient and ImageEmbeddingsClient. */
final class InferenceEmbeddings {
    private static final EmbeddingsClient EMBEDDINGS = builder(Surroundings.KEY).buildClient();
    private static final List<String> TEXTS = List.of("one", "three");

    private InferenceEmbeddings() {
    }

    private static EmbeddingsClientBuilder builder(String key) {
        return new EmbeddingsClientBuilder()
            .endpoint(Surroundings.INFERENCE_URL)
            .credential(new AzureKeyCredential(key));
    }

    private static EmbeddingsResult embed(String model, List<String> texts, EmbeddingEncodingFormat format) {
        return EMBEDDINGS.embed(texts, null, format, null, model, null);
    }

    private static void expectVectors(EmbeddingsResult answer) {
        Expect.equal(answer.getData().stream().map(EmbeddingItem::getEmbeddingList).toList(), VECTORS);
        Expect.equal(answer.getData().stream().map(EmbeddingItem::getIndex).toList(), List.of(0, 1));
        Expect.equal(answer.getUsage().getPromptTokens(), 7);
    }

    static List<Check> list() {
        List<Check> checks = new ArrayList<>();
        for (String model : List.of("Relay-Chat", "RELAY-CHAT", "relay-foundry", "relay-floats")) {
            checks.add(new Check("floats, " + model, () -> expectVectors(embed(model, TEXTS, null))));
        }
        checks.add(new Check("async", () -> {
            EmbeddingsAsyncClient embeddings = builder(Surroundings.KEY).buildAsyncClient();
            expectVectors(embeddings.embed(TEXTS, null, null, null, "RELAY-CHAT", null).block());
        }));
        checks.add(new Check("base64 from an upstream that only has floats", () -> {
            EmbeddingsResult answer = embed("relay-floats", List.of("one"), EmbeddingEncodingFormat.BASE64);
            String packed = answer.getData().get(0).getEmbedding().toObject(String.class);
            Expect.equal(unpack(packed), VECTORS.get(0));
        }));
        checks.add(new Check("an encoding that no model here can give", () -> {
            Check.Body attempt = () -> embed("relay-chat", TEXTS, EmbeddingEncodingFormat.INT8);
            Expect.equal(AzureErrors.refusal(422, attempt).get("code").asText(), "parameter_not_supported");
        }));
        checks.add(new Check("wrong key", () -> {
            EmbeddingsClient embeddings = builder("wrong").buildClient();
            AzureErrors.refusal(ClientAuthenticationException.class, 401, () -> embeddings.embed(TEXTS));
        }));
        checks.add(new Check("unknown model", () -> {
            JsonNode error = AzureErrors.refusal(400, () -> embed("nothing-like-it", TEXTS, null));
            Expect.equal(error.get("code").asText(), "unknown_model");
        }));
        checks.add(new Check("images and texts", () -> {
            String image = "data:image/png;base64,iVBORw0KGgo=";
            List<ImageEmbeddingInput> inputs =
                List.of(new ImageEmbeddingInput(image), new ImageEmbeddingInput(image).setText("cat"));
            EmbeddingsResult answer = openImages("RELAY-foundry").embed(inputs);
            float length = image.length();
            Expect.equal(answer.getData().stream().map(EmbeddingItem::getEmbeddingList).toList(),
                List.of(List.of(length, 0f, 0.25f, -1.5f), List.of(length, 3f, 0.25f, -1.5f)));
        }));
        checks.add(new Check("images for a model that takes none", () -> {
            List<ImageEmbeddingInput> inputs = List.of(new ImageEmbeddingInput("data:image/png;base64,iVBORw0KGgo="));
            JsonNode error = AzureErrors.refusal(400, () -> openImages("relay-chat").embed(inputs));
            Expect.equal(error.get("code").asText(), "OperationNotSupported");
        }));
        checks.add(new Check("built-in model", () -> {
            EmbeddingsResult answer = embed("MISTRAL-LARGE", List.of("The cat sleeps.", "Taxes are due."), null);
            List<Float> first = answer.getData().get(0).getEmbeddingList();
            List<Float> second = answer.getData().get(1).getEmbeddingList();
            Expect.equal(first.size(), second.size());
            Expect.that(!first.equals(second), "two texts are the same");
        }));
        return checks;
    }

    /** Its method for images has no model, so the model is named by a header. */
    private static ImageEmbeddingsClient openImages(String model) {
        return new ImageEmbeddingsClientBuilder()
            .endpoint(Surroundings.INFERENCE_URL)
            .credential(new AzureKeyCredential(Surroundings.KEY))
            .clientOptions(new ClientOptions().setHeaders(List.of(new Header("x-ms-model-mesh-model-name", model))))
            .buildClient();
    }

    static List<Float> unpack(String base64) {
        ByteBuffer bytes = ByteBuffer.wrap(Base64.getDecoder().decode(base64)).order(ByteOrder.LITTLE_ENDIAN);
        List<Float> vector = new ArrayList<>();
        while (bytes.hasRemaining()) {
            vector.add(bytes.getFloat());
        }
        return vector;
    }
}
