package conformance;

import static conformance.AzureErrors.refusal;
import static conformance.Surroundings.KEY;
import static conformance.Surroundings.QUESTION;
import static conformance.Surroundings.newMark;

import com.azure.ai.inference.ChatCompletionsClient;
import com.azure.ai.inference.ChatCompletionsClientBuilder;
import com.azure.ai.inference.models.ChatChoice;
import com.azure.ai.inference.models.ChatCompletions;
import com.azure.ai.inference.models.ChatCompletionsFunctionToolDefinition;
import com.azure.ai.inference.models.ChatCompletionsOptions;
import com.azure.ai.inference.models.ChatCompletionsToolCall;
import com.azure.ai.inference.models.ChatRequestAssistantMessage;
import com.azure.ai.inference.models.ChatRequestMessage;
import com.azure.ai.inference.models.ChatRequestSystemMessage;
import com.azure.ai.inference.models.ChatRequestToolMessage;
import com.azure.ai.inference.models.ChatRequestUserMessage;
import com.azure.ai.inference.models.CompletionsFinishReason;
import com.azure.ai.inference.models.FunctionDefinition;
import com.azure.ai.inference.models.ModelInfo;
import com.azure.ai.inference.models.StreamingChatChoiceUpdate;
import com.azure.ai.inference.models.StreamingChatCompletionsUpdate;
import com.azure.core.credential.AzureKeyCredential;
import com.azure.core.exception.ClientAuthenticationException;
import com.azure.core.http.HttpHeaderName;
import com.azure.core.http.rest.RequestOptions;
import com.azure.core.util.BinaryData;
import com.azure.core.util.ClientOptions;
import com.azure.core.util.Header;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;

/** azure-ai-inference, the synchronous ChatCompletionsClient. */
final class InferenceChat {
    private static final ChatCompletionsClient CHAT = builder().buildClient();

    private InferenceChat() {
    }

    static ChatCompletionsClientBuilder builder() {
        return new ChatCompletionsClientBuilder()
            .endpoint(Surroundings.INFERENCE_URL)
            .credential(new AzureKeyCredential(KEY));
    }

    static ChatCompletionsOptions ask(String model, String text) {
        return ask(model, List.of(
            new ChatRequestSystemMessage("You are a helpful assistant."), new ChatRequestUserMessage(text)));
    }

    private static ChatCompletionsOptions ask(String model, List<ChatRequestMessage> messages) {
        return new ChatCompletionsOptions(messages).setModel(model);
    }

    private static String complete(ChatCompletionsClient chat, ChatCompletionsOptions options) {
        return chat.complete(options).getChoice().getMessage().getContent();
    }

    static List<Check> list() {
        List<Check> checks = new ArrayList<>();
        for (String model : Surroundings.MODELS) {
            checks.add(new Check("whole, " + model, () -> expectWhole(CHAT.complete(ask(model, QUESTION)))));
            checks.add(new Check("stream, " + model,
                () -> expectStream(CHAT.completeStream(ask(model, QUESTION)).stream().toList())));
        }
        checks.addAll(listAddressing());
        checks.addAll(listTools());
        checks.addAll(listErrors());
        checks.addAll(listFaultyUpstreams());
        checks.addAll(listBuiltIn());
        return checks;
    }

    static void expectWhole(ChatCompletions answer) {
        Expect.equal(answer.getChoice().getMessage().getContent(), "Echo: " + QUESTION);
        Expect.equal(answer.getChoice().getFinishReason(), CompletionsFinishReason.STOPPED);
        Expect.equal(answer.getModel(), "served-2024-08-06");
        Expect.equal(answer.getUsage().getTotalTokens(), 12);
    }

    /** Usage comes in the last update, with the finish reason. */
    static void expectStream(List<StreamingChatCompletionsUpdate> updates) {
        Expect.equal(joinText(updates), "Echo: " + QUESTION);
        StreamingChatCompletionsUpdate last = updates.get(updates.size() - 1);
        Expect.equal(last.getChoice().getFinishReason(), CompletionsFinishReason.STOPPED);
        Expect.equal(last.getUsage().getTotalTokens(), 12);
    }

    static String joinText(List<StreamingChatCompletionsUpdate> updates) {
        return listChoices(updates)
            .stream()
            .map(choice -> choice.getDelta().getContent())
            .filter(Objects::nonNull)
            .collect(Collectors.joining());
    }

    private static List<StreamingChatChoiceUpdate> listChoices(List<StreamingChatCompletionsUpdate> updates) {
        return updates.stream().filter(update -> update.getChoices() != null)
            .flatMap(update -> update.getChoices().stream())
            .toList();
    }

    private static List<Check> listAddressing() {
        return List.of(
            new Check("an endpoint at the root", () -> {
                ChatCompletionsClient chat = builder().endpoint(Surroundings.ROOT_URL).buildClient();
                Expect.equal(complete(chat, ask("relay-chat", "hi")), "Echo: hi");
            }),
            new Check("an endpoint of one Azure OpenAI deployment", () -> {
                String endpoint = Surroundings.ROOT_URL + "/openai/deployments/RELAY-chat";
                ChatCompletionsClient chat = builder().endpoint(endpoint).buildClient();
                Expect.equal(complete(chat, ask(null, "hi")), "Echo: hi");
                Expect.equal(joinText(chat.completeStream(ask(null, "hi")).stream().toList()), "Echo: hi");
            }),
            new Check("extra parameters are passed through where that is asked", () -> {
                String mark = newMark();
                String body = "{\"model\":\"relay-chat\",\"messages\":[{\"role\":\"user\",\"content\":\"" + mark
                    + "\"}],\"vendor_field\":{\"deep\":[1]}}";
                HttpHeaderName header = HttpHeaderName.fromString("extra-parameters");
                RequestOptions options = new RequestOptions().setHeader(header, "pass-through");
                CHAT.completeWithResponse(BinaryData.fromString(body), options);
                JsonNode seen = Surroundings.listSeen(mark).get(0).get("body");
                Expect.equal(seen.get("vendor_field").toString(), "{\"deep\":[1]}");
            }),
            new Check("model info", () -> {
                ModelInfo info = withModel("RELAY-chat").getModelInfo();
                Expect.equal(info.getModelName(), "gpt-4o");
                Expect.equal(info.getModelProviderName(), "OpenAI");
                Expect.equal(info.getModelType().toString(), "chat-completion");
            }));
    }

    /** A client whose requests are sent to this model whatever their bodies say. */
    private static ChatCompletionsClient withModel(String model) {
        Header header = new Header("x-ms-model-mesh-model-name", model);
        return builder().clientOptions(new ClientOptions().setHeaders(List.of(header))).buildClient();
    }

    private static List<Check> listTools() {
        FunctionDefinition weather =
            new FunctionDefinition("get_weather").setParameters(BinaryData.fromString(Surroundings.WEATHER_SCHEMA));
        List<ChatRequestMessage> question = List.of(new ChatRequestUserMessage("Weather in Paris?"));
        return List.of(
            new Check("tools whole, with the result handed back", () -> {
                ChatChoice choice = CHAT.complete(withTool(question, weather)).getChoice();
                Expect.equal(choice.getFinishReason(), CompletionsFinishReason.TOOL_CALLS);
                ChatCompletionsToolCall call = choice.getMessage().getToolCalls().get(0);
                Expect.equal(List.of(call.getId(), call.getFunction().getName(), call.getFunction().getArguments()),
                    List.of("call_1", "get_weather", "{\"city\":\"Paris\"}"));
                List<ChatRequestMessage> messages = new ArrayList<>(question);
                messages.add(new ChatRequestAssistantMessage().setToolCalls(choice.getMessage().getToolCalls()));
                messages.add(new ChatRequestToolMessage(call.getId()).setContent("sunny"));
                Expect.equal(complete(CHAT, withTool(messages, weather)), "Echo: sunny");
            }),
            new Check("tools streamed", () -> {
                List<StreamingChatChoiceUpdate> choices =
                    listChoices(CHAT.completeStream(withTool(question, weather)).stream().toList());
                String arguments = choices.stream()
                    .filter(choice -> choice.getDelta().getToolCalls() != null)
                    .flatMap(choice -> choice.getDelta().getToolCalls().stream())
                    .map(call -> call.getFunction().getArguments())
                    .filter(Objects::nonNull)
                    .collect(Collectors.joining());
                Expect.equal(arguments, "{\"city\":\"Paris\"}");
                Expect.equal(choices.get(choices.size() - 1).getFinishReason(), CompletionsFinishReason.TOOL_CALLS);
            }));
    }

    private static ChatCompletionsOptions withTool(List<ChatRequestMessage> messages, FunctionDefinition tool) {
        return ask("Relay-Tools", messages).setTools(List.of(new ChatCompletionsFunctionToolDefinition(tool)));
    }

    private static List<Check> listErrors() {
        return List.of(
            new Check("wrong key", () -> {
                ChatCompletionsClient chat = builder().credential(new AzureKeyCredential("wrong")).buildClient();
                refusal(ClientAuthenticationException.class, 401, () -> chat.complete(ask("relay-chat", "hi")));
            }),
            new Check("unknown model, with the nearest name", () -> {
                JsonNode error = refusal(400, () -> CHAT.complete(ask("relay-chatt", "hi")));
                Expect.equal(error.get("code").asText(), "unknown_model");
                Expect.that(error.get("message").asText().contains("'Relay-Chat'"), "got " + error);
            }),
            new Check("unknown model, streamed", () -> {
                Check.Body attempt = () -> CHAT.completeStream(ask("relay-chatt", "hi")).stream().toList();
                Expect.equal(refusal(400, attempt).get("code").asText(), "unknown_model");
            }),
            new Check("no model", () -> {
                JsonNode error = refusal(400, () -> CHAT.complete(ask(null, "hi")));
                Expect.equal(error.get("code").asText(), "no_model_name");
            }),
            new Check("bad field", () -> {
                JsonNode error = refusal(400, () -> CHAT.complete(ask("relay-chat", "hi").setMaxTokens(-1)));
                Expect.equal(error.get("target").asText(), "max_tokens");
            }),
            new Check("the upstream's refusal of a request keeps its code", () -> {
                JsonNode error = refusal(400, () -> CHAT.complete(ask("relay-refusing", "hi")));
                Expect.equal(error.get("code").asText(), "context_length_exceeded");
            }));
    }

    private static List<Check> listFaultyUpstreams() {
        ChatCompletionsClient once = builder().retryOptions(AzureErrors.ONCE).buildClient();
        List<Check> checks = new ArrayList<>();
        for (String model : List.of("relay-failing", "relay-cut")) {
            checks.add(new Check("an upstream that breaks down once, " + model, () -> {
                String mark = newMark();
                refusal(502, () -> once.complete(ask(model, mark)));
                Expect.equal(complete(once, ask(model, mark)), "Echo: " + mark);
            }));
        }
        checks.add(new Check("a failure is tried again by the client", () -> {
            String mark = newMark();
            Expect.equal(complete(CHAT, ask("relay-failing", mark)), "Echo: " + mark);
            Expect.equal(Surroundings.listSeen(mark).size(), 2);
        }));
        checks.add(new Check("a stream that is cut off after its first part", () -> {
            // This client reads an error event as an update without choices.
            List<StreamingChatCompletionsUpdate> updates =
                CHAT.completeStream(ask("Relay-Cut", newMark())).stream().toList();
            Expect.equal(joinText(updates), "Echo:");
            Expect.that(listChoices(updates).stream().allMatch(choice -> choice.getFinishReason() == null),
                "there is a finish reason");
        }));
        checks.add(new Check("429 says when to come back",
            () -> AzureErrors.expectRetryHeaders(() -> once.complete(ask("relay-limited", newMark())))));
        checks.add(new Check("429 is waited for by the client", () -> {
            String mark = newMark();
            Expect.equal(complete(CHAT, ask("relay-limited", mark)), "Echo: " + mark);
            Surroundings.expectPatience(mark);
        }));
        checks.add(new Check("cancelling the bytes of a stream ends that of the upstream", () -> {
            // The stream of updates is a cached one, which cannot be cancelled.
            String mark = newMark();
            String body = "{\"model\":\"relay-endless\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\""
                + mark + "\"}]}";
            CHAT.completeWithResponse(BinaryData.fromString(body), null).getValue().toFluxByteBuffer().blockFirst();
            Surroundings.expectCutOff(mark);
        }));
        checks.add(new Check("a timeout before the first byte ends the request of the upstream", () -> {
            String mark = newMark();
            ChatCompletionsClient chat =
                builder().clientOptions(AzureErrors.IMPATIENT).retryOptions(AzureErrors.ONCE).buildClient();
            Expect.failure(RuntimeException.class, () -> chat.complete(ask("relay-silent", mark)));
            Surroundings.expectCutOff(mark);
        }));
        return checks;
    }

    private static List<Check> listBuiltIn() {
        List<Check> checks = new ArrayList<>();
        for (String model : List.of("Mistral-large", "MISTRAL-LARGE")) {
            checks.add(new Check("built-in model, " + model, () -> {
                ChatCompletions answer = CHAT.complete(ask(model, Surroundings.RIEMANN).setMaxTokens(200));
                Expect.that(answer.getChoice().getMessage().getContent().length() > 20, "the answer is short");
                Expect.equal(answer.getUsage().getTotalTokens(),
                    answer.getUsage().getPromptTokens() + answer.getUsage().getCompletionTokens());
            }));
        }
        checks.add(new Check("built-in model: a stream says the same as the whole answer", () -> {
            ChatCompletionsOptions options =
                ask("mistral-large", Surroundings.RIEMANN).setTemperature(0.0).setMaxTokens(60);
            String whole = complete(CHAT, options);
            Expect.equal(joinText(CHAT.completeStream(options).stream().toList()), whole);
        }));
        checks.add(new Check("built-in model info",
            () -> Expect.equal(withModel("mistral-large").getModelInfo().getModelName(), "builtin-nano")));
        return checks;
    }
}
