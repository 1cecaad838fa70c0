package conformance;

import static conformance.Surroundings.QUESTION;
import static conformance.Surroundings.newMark;

import com.openai.client.OpenAIClient;
import com.openai.core.JsonValue;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.OpenAIException;
import com.openai.models.responses.FunctionTool;
import com.openai.models.responses.Response;
import com.openai.models.responses.ResponseCreateParams;
import com.openai.models.responses.ResponseInputItem;
import com.openai.models.responses.ResponseStreamEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The Responses API, with openai-java. Nothing is kept: a second turn brings the first one along. */
final class OpenAiResponses {
    private final OpenAIClient openai;

    OpenAiResponses(OpenAIClient openai) {
        this.openai = openai;
    }

    private static ResponseCreateParams.Builder ask(String model, String text) {
        return ResponseCreateParams.builder().model(model).input(text);
    }

    private static String textOf(Response answer) {
        return answer.output().stream()
            .flatMap(item -> item.message().stream())
            .flatMap(message -> message.content().stream())
            .flatMap(part -> part.outputText().stream())
            .map(part -> part.text())
            .collect(Collectors.joining());
    }

    private List<ResponseStreamEvent> stream(ResponseCreateParams params) {
        try (StreamResponse<ResponseStreamEvent> events = openai.responses().createStreaming(params)) {
            return events.stream().toList();
        }
    }

    private static String joinText(List<ResponseStreamEvent> events) {
        return events.stream()
            .flatMap(event -> event.outputTextDelta().stream())
            .map(event -> event.delta())
            .collect(Collectors.joining());
    }

    private static FunctionTool weather() {
        var parameters = FunctionTool.Parameters.builder()
            .putAdditionalProperty("type", JsonValue.from("object"))
            .putAdditionalProperty("properties", JsonValue.from(Map.of("city", Map.of("type", "string"))))
            .build();
        return FunctionTool.builder().name("get_weather").parameters(parameters).strict(false).build();
    }

    List<Check> list() {
        List<Check> checks = new ArrayList<>();
        for (String model : List.of("Relay-Chat", "relay-azure", "relay-anthropic", "relay-responses")) {
            checks.add(new Check("responses: whole, " + model, () -> {
                Response answer = openai.responses().create(ask(model, QUESTION).build());
                Expect.equal(textOf(answer), "Echo: " + QUESTION);
                Expect.equal(answer.usage().orElseThrow().totalTokens(), 12L);
            }));
            checks.add(new Check("responses: stream, " + model, () -> {
                List<ResponseStreamEvent> events = stream(ask(model, QUESTION).build());
                Expect.equal(joinText(events), "Echo: " + QUESTION);
                Response last = events.get(events.size() - 1).completed().orElseThrow().response();
                Expect.equal(textOf(last), "Echo: " + QUESTION);
            }));
        }
        for (String model : List.of("relay-tools", "relay-responses")) {
            checks.add(new Check("responses: functions, " + model, () -> {
                var asked = ask(model, "Weather in Paris?").addTool(weather()).build();
                var call = openai.responses().create(asked).output().get(0).asFunctionCall();
                Expect.equal(call.arguments(), "{\"city\":\"Paris\"}");
                var result = ResponseInputItem.FunctionCallOutput.builder().callId(call.callId()).output("sunny").build();
                var items = List.of(
                    ResponseInputItem.ofFunctionCall(call), ResponseInputItem.ofFunctionCallOutput(result));
                var next = ResponseCreateParams.builder().model(model).inputOfResponse(items).addTool(weather()).build();
                Expect.equal(textOf(openai.responses().create(next)), "Echo: sunny");
            }));
        }
        checks.add(new Check("responses: what only a server that keeps can do is refused", () -> {
            var params = ask("relay-chat", QUESTION).previousResponseId("resp_1").build();
            Expect.failure(BadRequestException.class, () -> openai.responses().create(params));
        }));
        checks.add(new Check("responses: a stream that is cut off is an error",
            () -> Expect.failure(OpenAIException.class, () -> stream(ask("relay-cut", newMark()).build()))));
        checks.add(new Check("responses: the built-in model, whole and streamed the same", () -> {
            var params = ask("mistral-large", "Hello!").maxOutputTokens(16).temperature(0).build();
            String whole = textOf(openai.responses().create(params));
            Expect.that(!whole.isBlank(), "there is no text");
            Expect.equal(joinText(stream(params)), whole);
        }));
        return checks;
    }
}
