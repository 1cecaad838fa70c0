package conformance;

import static conformance.Surroundings.QUESTION;
import static conformance.Surroundings.VECTORS;

import com.openai.client.OpenAIClient;
import com.openai.models.completions.Completion;
import com.openai.models.completions.CompletionCreateParams;
import com.openai.models.embeddings.CreateEmbeddingResponse;
import com.openai.models.embeddings.Embedding;
import com.openai.models.embeddings.EmbeddingCreateParams;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Completions of prompts and embeddings, with openai-java. */
final class OpenAiTexts {
    private final OpenAIClient openai;

    OpenAiTexts(OpenAIClient openai) {
        this.openai = openai;
    }

    private static CompletionCreateParams.Builder prompt(String model, String text) {
        return CompletionCreateParams.builder().model(model).prompt(text);
    }

    private static EmbeddingCreateParams.Builder embed(String model, String... texts) {
        return EmbeddingCreateParams.builder().model(model).inputOfArrayOfStrings(List.of(texts));
    }

    List<Check> list() {
        List<Check> checks = new ArrayList<>();
        checks.add(new Check("completions whole", () -> {
            Completion answer = openai.completions().create(prompt("RELAY-CHAT", QUESTION).build());
            Expect.equal(answer.choices().get(0).text(), "Echo: " + QUESTION);
            Expect.equal(answer.usage().orElseThrow().totalTokens(), 12L);
        }));
        checks.add(new Check("completions streamed", () -> {
            try (var chunks = openai.completions().createStreaming(prompt("relay-chat", QUESTION).build())) {
                String text = chunks.stream()
                    .flatMap(chunk -> chunk.choices().stream())
                    .map(choice -> choice.text())
                    .collect(Collectors.joining());
                Expect.equal(text, "Echo: " + QUESTION);
            }
        }));
        // Without an encoding the client asks for base64 and decodes it.
        for (String model : List.of("relay-chat", "RELAY-FLOATS", "relay-foundry")) {
            EmbeddingCreateParams plain = embed(model, "one", "three").build();
            EmbeddingCreateParams floats =
                plain.toBuilder().encodingFormat(EmbeddingCreateParams.EncodingFormat.FLOAT).build();
            EmbeddingCreateParams packed =
                plain.toBuilder().encodingFormat(EmbeddingCreateParams.EncodingFormat.BASE64).build();
            checks.add(new Check("embeddings, " + model, () -> expectVectors(openai.embeddings().create(plain))));
            checks.add(new Check("embeddings in floats, " + model,
                () -> expectVectors(openai.embeddings().create(floats))));
            checks.add(new Check("embeddings in base64, " + model, () -> {
                List<Embedding> data = openai.embeddings().create(packed).data();
                List<String> texts = data.stream().map(item -> item.embeddingValue().asBase64()).toList();
                Expect.equal(texts.stream().map(InferenceEmbeddings::unpack).toList(), VECTORS);
            }));
        }
        checks.add(new Check("built-in model completes", () -> {
            var params = prompt("mistral-large", "Once upon a time").maxTokens(8).build();
            long count = openai.completions().create(params).usage().orElseThrow().completionTokens();
            Expect.that(count > 0 && count <= 8, count + " tokens");
        }));
        checks.add(new Check("built-in model embeds", () -> {
            List<Embedding> data =
                openai.embeddings().create(embed("mistral-large", "The cat sleeps.", "Taxes are due.").build()).data();
            Expect.equal(data.get(0).embedding().size(), data.get(1).embedding().size());
            Expect.that(!data.get(0).embedding().equals(data.get(1).embedding()), "two texts are the same");
        }));
        return checks;
    }

    private static void expectVectors(CreateEmbeddingResponse answer) {
        Expect.equal(answer.data().stream().map(Embedding::embedding).toList(), VECTORS);
        Expect.equal(answer.usage().promptTokens(), 7L);
    }
}
