package conformance;

import static conformance.Surroundings.QUESTION;
import static conformance.Surroundings.newMark;

import com.openai.client.OpenAIClient;
import com.openai.core.JsonValue;
import com.openai.core.http.AsyncStreamResponse;
import com.openai.core.http.StreamResponse;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.models.FunctionDefinition;
import com.openai.models.FunctionParameters;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionFunctionTool;
import com.openai.models.chat.completions.ChatCompletionMessage;
import com.openai.models.chat.completions.ChatCompletionMessageFunctionToolCall;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.chat.completions.ChatCompletionToolMessageParam;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Chat that goes well, with openai-java. */
final class OpenAiChat {
    private final OpenAIClient openai;

    OpenAiChat(OpenAIClient openai) {
        this.openai = openai;
    }

    static ChatCompletionCreateParams.Builder ask(String model, String text) {
        return ChatCompletionCreateParams.builder().model(model).addUserMessage(text);
    }

    String complete(String model, String text) {
        return textOf(openai.chat().completions().create(ask(model, text).build()));
    }

    static String textOf(ChatCompletion answer) {
        return answer.choices().get(0).message().content().orElseThrow();
    }

    private ChatCompletion stream(ChatCompletionCreateParams params) {
        ChatCompletionAccumulator answer = ChatCompletionAccumulator.create();
        try (StreamResponse<ChatCompletionChunk> chunks = openai.chat().completions().createStreaming(params)) {
            chunks.stream().forEach(answer::accumulate);
        }
        return answer.chatCompletion();
    }

    private ChatCompletion streamAsync(ChatCompletionCreateParams params) {
        ChatCompletionAccumulator answer = ChatCompletionAccumulator.create();
        AsyncStreamResponse<ChatCompletionChunk> chunks = openai.async().chat().completions().createStreaming(params);
        chunks.subscribe(answer::accumulate).onCompleteFuture().join();
        return answer.chatCompletion();
    }

    List<Check> list() {
        List<Check> checks = new ArrayList<>();
        for (String model : Surroundings.MODELS) {
            ChatCompletionCreateParams params = ask(model, QUESTION).build();
            ChatCompletionCreateParams withUsage = ask(model, QUESTION)
                .streamOptions(ChatCompletionStreamOptions.builder().includeUsage(true).build())
                .build();
            checks.add(new Check("chat whole, " + model,
                () -> expectAnswer(openai.chat().completions().create(params))));
            checks.add(new Check("chat stream, " + model, () -> expectAnswer(stream(withUsage))));
            checks.add(new Check("chat whole async, " + model,
                () -> expectAnswer(openai.async().chat().completions().create(params).join())));
            checks.add(new Check("chat stream async, " + model, () -> expectAnswer(streamAsync(withUsage))));
        }
        checks.add(new Check("answers hold under the client's own validation", () -> {
            for (String model : List.of("relay-chat", "relay-foundry", "mistral-large")) {
                openai.chat().completions().create(ask(model, "hi").maxTokens(8).build()).validate();
                stream(ask(model, "hi").maxTokens(8).build()).validate();
            }
        }));
        checks.add(new Check("a stream is passed on while the upstream still writes", this::checkGated));
        checks.add(new Check("fields that the server does not know reach the upstream", () -> {
            String mark = newMark();
            JsonValue field = JsonValue.from(Map.of("deep", List.of(1)));
            var params = ask("relay-chat", mark).putAdditionalBodyProperty("vendor_field", field).build();
            openai.chat().completions().create(params);
            Expect.equal(Surroundings.listSeen(mark).get(0).at("/body/vendor_field").toString(), "{\"deep\":[1]}");
        }));
        checks.addAll(listTools());
        checks.addAll(listBuiltIn());
        return checks;
    }

    private static void expectAnswer(ChatCompletion answer) {
        Expect.equal(textOf(answer), "Echo: " + QUESTION);
        Expect.equal(answer.choices().get(0).finishReason(), ChatCompletion.Choice.FinishReason.STOP);
        Expect.equal(answer.model(), "served-2024-08-06");
        Expect.equal(answer.usage().orElseThrow().totalTokens(), 12L);
    }

    private void checkGated() {
        String mark = newMark();
        StringBuilder text = new StringBuilder();
        try (var chunks = openai.chat().completions().createStreaming(ask("relay-gated", mark).build())) {
            chunks.stream().flatMap(chunk -> chunk.choices().stream()).forEach(choice -> {
                text.append(choice.delta().content().orElse(""));
                if (!text.isEmpty()) {
                    Surroundings.release(mark);
                }
            });
        }
        Expect.equal(text.toString(), "Echo: " + mark);
    }

    private List<Check> listTools() {
        return List.of(
            new Check("tools whole, with the result handed back", () -> {
                ChatCompletionCreateParams params = askWeather().build();
                ChatCompletion.Choice choice = openai.chat().completions().create(params).choices().get(0);
                ChatCompletionMessageFunctionToolCall call = expectCall(choice);
                ChatCompletionMessage message = choice.message();
                ChatCompletionToolMessageParam result =
                    ChatCompletionToolMessageParam.builder().toolCallId(call.id()).content("sunny").build();
                ChatCompletionCreateParams next = params.toBuilder().addMessage(message).addMessage(result).build();
                Expect.equal(textOf(openai.chat().completions().create(next)), "Echo: sunny");
            }),
            new Check("tools streamed into the accumulator",
                () -> expectCall(stream(askWeather().build()).choices().get(0))));
    }

    private static ChatCompletionCreateParams.Builder askWeather() {
        FunctionParameters parameters = FunctionParameters.builder()
            .putAdditionalProperty("type", JsonValue.from("object"))
            .putAdditionalProperty("properties", JsonValue.from(Map.of("city", Map.of("type", "string"))))
            .putAdditionalProperty("required", JsonValue.from(List.of("city")))
            .build();
        FunctionDefinition function = FunctionDefinition.builder().name("get_weather").parameters(parameters).build();
        return ask("Relay-Tools", "Weather in Paris?")
            .addTool(ChatCompletionFunctionTool.builder().function(function).build());
    }

    private static ChatCompletionMessageFunctionToolCall expectCall(ChatCompletion.Choice choice) {
        Expect.equal(choice.finishReason(), ChatCompletion.Choice.FinishReason.TOOL_CALLS);
        var call = choice.message().toolCalls().orElseThrow().get(0).asFunction();
        Expect.equal(List.of(call.id(), call.function().name(), call.function().arguments()),
            List.of("call_1", "get_weather", "{\"city\":\"Paris\"}"));
        return call;
    }

    private List<Check> listBuiltIn() {
        return List.of(
            new Check("built-in model", () -> {
                var params = ask("MISTRAL-LARGE", Surroundings.RIEMANN).maxTokens(200).build();
                ChatCompletion answer = openai.chat().completions().create(params);
                Expect.that(textOf(answer).length() > 20, "the answer is short");
                var usage = answer.usage().orElseThrow();
                Expect.equal(usage.totalTokens(), usage.promptTokens() + usage.completionTokens());
            }),
            new Check("built-in model: a stream says the same as the whole answer", () -> {
                var params = ask("mistral-large", Surroundings.RIEMANN).maxTokens(60).temperature(0).seed(1);
                ChatCompletion whole = openai.chat().completions().create(params.build());
                params.streamOptions(ChatCompletionStreamOptions.builder().includeUsage(true).build());
                ChatCompletion streamed = stream(params.build());
                Expect.equal(textOf(streamed), textOf(whole));
                Expect.equal(streamed.usage().orElseThrow().totalTokens(), whole.usage().orElseThrow().totalTokens());
            }));
    }
}
