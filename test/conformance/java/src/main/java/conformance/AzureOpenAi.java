package conformance;

import static conformance.AzureErrors.refusal;
import static conformance.Surroundings.QUESTION;
import static conformance.Surroundings.VECTORS;
import static conformance.Surroundings.newMark;

import com.azure.ai.openai.OpenAIAsyncClient;
import com.azure.ai.openai.OpenAIClient;
import com.azure.ai.openai.OpenAIClientBuilder;
import com.azure.ai.openai.OpenAIServiceVersion;
import com.azure.ai.openai.models.ChatChoice;
import com.azure.ai.openai.models.ChatCompletionStreamOptions;
import com.azure.ai.openai.models.ChatCompletions;
import com.azure.ai.openai.models.ChatCompletionsFunctionToolCall;
import com.azure.ai.openai.models.ChatCompletionsFunctionToolDefinition;
import com.azure.ai.openai.models.ChatCompletionsFunctionToolDefinitionFunction;
import com.azure.ai.openai.models.ChatCompletionsOptions;
import com.azure.ai.openai.models.ChatRequestAssistantMessage;
import com.azure.ai.openai.models.ChatRequestMessage;
import com.azure.ai.openai.models.ChatRequestToolMessage;
import com.azure.ai.openai.models.ChatRequestUserMessage;
import com.azure.ai.openai.models.Choice;
import com.azure.ai.openai.models.Completions;
import com.azure.ai.openai.models.CompletionsFinishReason;
import com.azure.ai.openai.models.CompletionsOptions;
import com.azure.ai.openai.models.EmbeddingItem;
import com.azure.ai.openai.models.Embeddings;
import com.azure.ai.openai.models.EmbeddingsOptions;
import com.azure.core.credential.AccessToken;
import com.azure.core.credential.AzureKeyCredential;
import com.azure.core.exception.ClientAuthenticationException;
import com.azure.core.exception.ResourceNotFoundException;
import com.azure.core.http.rest.RequestOptions;
import com.azure.core.util.BinaryData;
import com.fasterxml.jackson.databind.JsonNode;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import reactor.core.publisher.Mono;

/** azure-ai-openai, OpenAIClient and OpenAIAsyncClient. */
final class AzureOpenAi {
    private static final OpenAIClient OPENAI = builder().buildClient();
    private static final OpenAIAsyncClient ASYNC = builder().buildAsyncClient();

    private AzureOpenAi() {
    }

    private static OpenAIClientBuilder builder() {
        return new OpenAIClientBuilder()
            .endpoint(Surroundings.ROOT_URL)
            .credential(new AzureKeyCredential(Surroundings.KEY));
    }

    private static ChatCompletionsOptions ask(String text) {
        return new ChatCompletionsOptions(List.of(new ChatRequestUserMessage(text)));
    }

    private static String complete(OpenAIClient openai, String deployment, String text) {
        return openai.getChatCompletions(deployment, ask(text)).getChoices().get(0).getMessage().getContent();
    }

    private static List<ChatCompletions> stream(String deployment, ChatCompletionsOptions options) {
        return OPENAI.getChatCompletionsStream(deployment, options).stream().toList();
    }

    static List<Check> list() {
        List<Check> checks = new ArrayList<>();
        for (String model : Surroundings.MODELS) {
            checks.add(new Check("chat whole, " + model,
                () -> expectWhole(OPENAI.getChatCompletions(model, ask(QUESTION)))));
            checks.add(new Check("chat stream, " + model, () -> expectStream(stream(model, ask(QUESTION)))));
            checks.add(new Check("chat whole async, " + model,
                () -> expectWhole(ASYNC.getChatCompletions(model, ask(QUESTION)).block())));
            checks.add(new Check("chat stream async, " + model,
                () -> expectStream(ASYNC.getChatCompletionsStream(model, ask(QUESTION)).collectList().block())));
        }
        checks.addAll(listChat());
        checks.addAll(listTools());
        checks.addAll(listTexts());
        checks.addAll(listErrors());
        checks.addAll(listFaultyUpstreams());
        checks.addAll(listBuiltIn());
        return checks;
    }

    private static void expectWhole(ChatCompletions answer) {
        Expect.equal(answer.getChoices().get(0).getMessage().getContent(), "Echo: " + QUESTION);
        Expect.equal(answer.getChoices().get(0).getFinishReason(), CompletionsFinishReason.STOPPED);
        Expect.equal(answer.getUsage().getTotalTokens(), 12);
    }

    private static void expectStream(List<ChatCompletions> chunks) {
        Expect.equal(joinText(chunks), "Echo: " + QUESTION);
        List<ChatChoice> choices = listChoices(chunks);
        Expect.equal(choices.get(choices.size() - 1).getFinishReason(), CompletionsFinishReason.STOPPED);
    }

    private static List<ChatChoice> listChoices(List<ChatCompletions> chunks) {
        return chunks.stream().filter(chunk -> chunk.getChoices() != null)
            .flatMap(chunk -> chunk.getChoices().stream())
            .toList();
    }

    private static String joinText(List<ChatCompletions> chunks) {
        return listChoices(chunks).stream()
            .map(choice -> choice.getDelta().getContent())
            .filter(Objects::nonNull)
            .collect(Collectors.joining());
    }

    private static List<Check> listChat() {
        return List.of(
            new Check("a stream with usage", () -> {
                ChatCompletionStreamOptions options = new ChatCompletionStreamOptions().setIncludeUsage(true);
                List<ChatCompletions> chunks =
                    OPENAI.getChatCompletionsStream("relay-chat", ask(QUESTION), options).stream().toList();
                Expect.equal(joinText(chunks), "Echo: " + QUESTION);
                Expect.equal(chunks.get(chunks.size() - 1).getUsage().getTotalTokens(), 12);
            }),
            new Check("a stream is passed on while the upstream still writes", () -> {
                String mark = newMark();
                List<ChatCompletions> chunks = new ArrayList<>();
                ASYNC.getChatCompletionsStream("relay-gated", ask(mark)).doOnNext(chunk -> {
                    chunks.add(chunk);
                    if (!joinText(chunks).isEmpty()) {
                        Surroundings.release(mark);
                    }
                }).blockLast();
                Expect.equal(joinText(chunks), "Echo: " + mark);
            }),
            new Check("a token credential sends the key as Bearer", () -> {
                AccessToken token = new AccessToken(Surroundings.KEY, OffsetDateTime.now().plusHours(1));
                OpenAIClient openai = new OpenAIClientBuilder()
                    .endpoint(Surroundings.ROOT_URL)
                    .credential(request -> Mono.just(token))
                    .buildClient();
                Expect.equal(complete(openai, "relay-chat", "hi"), "Echo: hi");
            }),
            new Check("the oldest api-version that the client has", () -> {
                OpenAIClient openai = builder().serviceVersion(OpenAIServiceVersion.V2022_12_01).buildClient();
                Expect.equal(complete(openai, "relay-chat", "hi"), "Echo: hi");
            }));
    }

    private static List<Check> listTools() {
        List<ChatRequestMessage> question = List.of(new ChatRequestUserMessage("Weather in Paris?"));
        return List.of(
            new Check("tools whole, with the result handed back", () -> {
                ChatChoice choice = OPENAI.getChatCompletions("Relay-Tools", withTool(question)).getChoices().get(0);
                Expect.equal(choice.getFinishReason(), CompletionsFinishReason.TOOL_CALLS);
                var calls = choice.getMessage().getToolCalls();
                var call = (ChatCompletionsFunctionToolCall) calls.get(0);
                Expect.equal(List.of(call.getId(), call.getFunction().getName(), call.getFunction().getArguments()),
                    List.of("call_1", "get_weather", "{\"city\":\"Paris\"}"));
                List<ChatRequestMessage> messages = new ArrayList<>(question);
                messages.add(new ChatRequestAssistantMessage("").setToolCalls(calls));
                messages.add(new ChatRequestToolMessage("sunny", call.getId()));
                ChatCompletions answer = OPENAI.getChatCompletions("Relay-Tools", withTool(messages));
                Expect.equal(answer.getChoices().get(0).getMessage().getContent(), "Echo: sunny");
            }),
            new Check("tools streamed", () -> {
                List<ChatChoice> choices = listChoices(stream("Relay-Tools", withTool(question)));
                String arguments = choices.stream()
                    .filter(choice -> choice.getDelta().getToolCalls() != null)
                    .flatMap(choice -> choice.getDelta().getToolCalls().stream())
                    .map(call -> ((ChatCompletionsFunctionToolCall) call).getFunction().getArguments())
                    .filter(Objects::nonNull)
                    .collect(Collectors.joining());
                Expect.equal(arguments, "{\"city\":\"Paris\"}");
                Expect.equal(choices.get(choices.size() - 1).getFinishReason(), CompletionsFinishReason.TOOL_CALLS);
            }));
    }

    private static ChatCompletionsOptions withTool(List<ChatRequestMessage> messages) {
        var function = new ChatCompletionsFunctionToolDefinitionFunction("get_weather")
            .setParameters(BinaryData.fromString(Surroundings.WEATHER_SCHEMA));
        return new ChatCompletionsOptions(messages)
            .setTools(List.of(new ChatCompletionsFunctionToolDefinition(function)));
    }

    private static List<Check> listTexts() {
        List<Check> checks = new ArrayList<>();
        checks.add(new Check("completions whole", () -> {
            Completions answer = OPENAI.getCompletions("RELAY-CHAT", new CompletionsOptions(List.of(QUESTION)));
            Expect.equal(answer.getChoices().get(0).getText(), "Echo: " + QUESTION);
            Expect.equal(answer.getUsage().getTotalTokens(), 12);
        }));
        checks.add(new Check("completions streamed", () -> {
            String text = OPENAI.getCompletionsStream("relay-chat", new CompletionsOptions(List.of(QUESTION))).stream()
                .flatMap(chunk -> chunk.getChoices().stream())
                .map(Choice::getText)
                .collect(Collectors.joining());
            Expect.equal(text, "Echo: " + QUESTION);
        }));
        // The client always asks for base64 and decodes it.
        for (String model : List.of("relay-chat", "RELAY-FLOATS", "relay-foundry")) {
            checks.add(new Check("embeddings, " + model, () -> {
                Embeddings answer = OPENAI.getEmbeddings(model, new EmbeddingsOptions(List.of("one", "three")));
                Expect.equal(answer.getData().stream().map(EmbeddingItem::getEmbedding).toList(), VECTORS);
                Expect.equal(answer.getUsage().getPromptTokens(), 7);
            }));
        }
        return checks;
    }

    private static List<Check> listErrors() {
        return List.of(
            new Check("wrong key", () -> {
                OpenAIClient openai = builder().credential(new AzureKeyCredential("wrong")).buildClient();
                refusal(ClientAuthenticationException.class, 401, () -> complete(openai, "relay-chat", "hi"));
            }),
            new Check("unknown deployment, with the nearest name", () -> {
                JsonNode error =
                    refusal(ResourceNotFoundException.class, 404, () -> complete(OPENAI, "relay-chatt", "hi"));
                Expect.equal(error.get("code").asText(), "DeploymentNotFound");
                Expect.that(error.get("message").asText().contains("'Relay-Chat'"), "got " + error);
            }),
            new Check("unknown deployment, streamed", () -> {
                JsonNode error = refusal(404, () -> stream("relay-chatt", ask("hi")));
                Expect.equal(error.get("code").asText(), "DeploymentNotFound");
            }),
            new Check("bad field", () -> {
                JsonNode error = refusal(400, () -> OPENAI.getChatCompletions("relay-chat", ask("hi").setN(0)));
                Expect.equal(error.get("param").asText(), "n");
            }),
            new Check("the upstream's refusal of a request keeps its code", () -> {
                JsonNode error = refusal(400, () -> complete(OPENAI, "relay-refusing", "hi"));
                Expect.equal(error.get("code").asText(), "context_length_exceeded");
                Expect.equal(error.get("param").asText(), "messages");
            }),
            new Check("a prompt that the upstream's filter refused", () -> {
                JsonNode error = refusal(400, () -> complete(OPENAI, "relay-filtering", "hi"));
                Expect.equal(error.get("code").asText(), "content_filter");
                Expect.equal(error.at("/innererror/content_filter_result/violence/severity").asText(), "medium");
            }));
    }

    private static List<Check> listFaultyUpstreams() {
        OpenAIClient once = builder().retryOptions(AzureErrors.ONCE).buildClient();
        List<Check> checks = new ArrayList<>();
        for (String model : List.of("relay-failing", "relay-cut")) {
            checks.add(new Check("an upstream that breaks down once, " + model, () -> {
                String mark = newMark();
                refusal(502, () -> complete(once, model, mark));
                Expect.equal(complete(once, model, mark), "Echo: " + mark);
            }));
        }
        checks.add(new Check("a failure is tried again by the client", () -> {
            String mark = newMark();
            Expect.equal(complete(OPENAI, "relay-failing", mark), "Echo: " + mark);
            Expect.equal(Surroundings.listSeen(mark).size(), 2);
        }));
        checks.add(new Check("a stream that is cut off after its first part", () -> {
            // This client reads an error event as a chunk without choices.
            List<ChatCompletions> chunks = stream("Relay-Cut", ask(newMark()));
            Expect.equal(joinText(chunks), "Echo:");
            Expect.that(listChoices(chunks).stream().allMatch(choice -> choice.getFinishReason() == null),
                "there is a finish reason");
        }));
        checks.add(new Check("429 says when to come back",
            () -> AzureErrors.expectRetryHeaders(() -> complete(once, "relay-limited", newMark()))));
        checks.add(new Check("429 is waited for by the client", () -> {
            String mark = newMark();
            Expect.equal(joinText(stream("relay-limited", ask(mark))), "Echo: " + mark);
            Surroundings.expectPatience(mark);
        }));
        checks.add(new Check("cancelling the bytes of a stream ends that of the upstream", () -> {
            // Its stream of chunks is a cached one, which cannot be cancelled.
            String mark = newMark();
            String body = "{\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"" + mark + "\"}]}";
            ASYNC.getChatCompletionsWithResponse("relay-endless", BinaryData.fromString(body), new RequestOptions())
                .flatMapMany(response -> response.getValue().toFluxByteBuffer())
                .blockFirst();
            Surroundings.expectCutOff(mark);
        }));
        checks.add(new Check("a timeout before the first byte ends the request of the upstream", () -> {
            String mark = newMark();
            OpenAIClient openai =
                builder().clientOptions(AzureErrors.IMPATIENT).retryOptions(AzureErrors.ONCE).buildClient();
            Expect.failure(RuntimeException.class, () -> complete(openai, "relay-silent", mark));
            Surroundings.expectCutOff(mark);
        }));
        return checks;
    }

    private static List<Check> listBuiltIn() {
        return List.of(
            new Check("built-in model", () -> {
                ChatCompletions answer =
                    OPENAI.getChatCompletions("MISTRAL-LARGE", ask(Surroundings.RIEMANN).setMaxTokens(200));
                Expect.that(answer.getChoices().get(0).getMessage().getContent().length() > 20, "the answer is short");
                Expect.equal(answer.getUsage().getTotalTokens(),
                    answer.getUsage().getPromptTokens() + answer.getUsage().getCompletionTokens());
            }),
            new Check("built-in model: a stream says the same as the whole answer", () -> {
                ChatCompletionsOptions options =
                    ask(Surroundings.RIEMANN).setTemperature(0.0).setMaxTokens(60).setSeed(1L);
                ChatCompletions whole = OPENAI.getChatCompletions("mistral-large", options);
                Expect.equal(joinText(stream("mistral-large", options)),
                    whole.getChoices().get(0).getMessage().getContent());
            }),
            new Check("built-in model completes", () -> {
                CompletionsOptions options = new CompletionsOptions(List.of("Once upon a time")).setMaxTokens(8);
                int count = OPENAI.getCompletions("mistral-large", options).getUsage().getCompletionTokens();
                Expect.that(count > 0 && count <= 8, count + " tokens");
            }),
            new Check("built-in model embeds", () -> {
                List<EmbeddingItem> data = OPENAI
                    .getEmbeddings("mistral-large", new EmbeddingsOptions(List.of("The cat sleeps.", "Taxes are due.")))
                    .getData();
                Expect.equal(data.get(0).getEmbedding().size(), data.get(1).getEmbedding().size());
                Expect.that(!data.get(0).getEmbedding().equals(data.get(1).getEmbedding()), "two texts are the same");
            }));
    }
}
