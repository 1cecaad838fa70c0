package conformance;

import static conformance.OpenAiChat.ask;
import static conformance.Surroundings.newMark;

import com.openai.client.OpenAIClient;
import com.openai.core.JsonValue;
import com.openai.core.RequestOptions;
import com.openai.errors.BadRequestException;
import com.openai.errors.InternalServerException;
import com.openai.errors.NotFoundException;
import com.openai.errors.OpenAIIoException;
import com.openai.errors.OpenAIServiceException;
import com.openai.errors.RateLimitException;
import com.openai.errors.SseException;
import com.openai.errors.UnauthorizedException;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionUserMessageParam;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What goes wrong, with openai-java. */
final class OpenAiErrors {
    private final OpenAIClient openai;
    private final OpenAIClient once;
    private final OpenAIClient withWrongKey;

    OpenAiErrors(OpenAIClient openai, OpenAIClient withWrongKey) {
        this.openai = openai;
        this.once = openai.withOptions(options -> options.maxRetries(0));
        this.withWrongKey = withWrongKey;
    }

    private static <E extends OpenAIServiceException> E refusal(
        Class<E> wanted, OpenAIClient client, ChatCompletionCreateParams.Builder params) {
        return Expect.failure(wanted, () -> client.chat().completions().create(params.build()));
    }

    List<Check> list() {
        List<Check> checks = new ArrayList<>(listRefusals());
        checks.addAll(listFaultyUpstreams());
        checks.addAll(listDepartures());
        return checks;
    }

    private List<Check> listRefusals() {
        List<Check> checks = new ArrayList<>();
        checks.add(new Check("wrong key", () -> {
            UnauthorizedException refused = refusal(UnauthorizedException.class, withWrongKey, ask("relay-chat", "hi"));
            Expect.equal(refused.code().orElseThrow(), "401");
        }));
        checks.add(new Check("unknown deployment, with the nearest name", () -> {
            NotFoundException refused = refusal(NotFoundException.class, openai, ask("relay-chatt", "hi"));
            Expect.equal(refused.code().orElseThrow(), "DeploymentNotFound");
            Expect.that(refused.getMessage().contains("'Relay-Chat'"), "got " + refused.getMessage());
        }));
        checks.add(new Check("unknown deployment, streamed", () -> Expect.failure(NotFoundException.class,
            () -> openai.chat().completions().createStreaming(ask("relay-chatt", "hi").build()).close())));
        Map<String, ChatCompletionCreateParams.Builder> bad = new LinkedHashMap<>();
        bad.put("n", ask("relay-chat", "hi").n(0));
        bad.put("temperature", ask("relay-chat", "hi").putAdditionalBodyProperty("temperature", JsonValue.from("hot")));
        bad.put("messages", ChatCompletionCreateParams.builder().model("relay-chat").messages(List.of()));
        bad.put("messages[0].role", ChatCompletionCreateParams.builder().model("relay-chat").addMessage(
            ChatCompletionUserMessageParam.builder().content("hi").role(JsonValue.from("robot")).build()));
        bad.forEach((param, params) -> checks.add(new Check("bad field " + param, () -> {
            BadRequestException refused = refusal(BadRequestException.class, openai, params);
            Expect.equal(refused.param().orElseThrow(), param);
            Expect.equal(refused.type().orElseThrow(), "invalid_request_error");
        })));
        checks.add(new Check("the upstream's refusal of a request keeps its code", () -> {
            BadRequestException refused = refusal(BadRequestException.class, openai, ask("relay-refusing", "hi"));
            Expect.equal(refused.code().orElseThrow(), "context_length_exceeded");
            Expect.equal(refused.param().orElseThrow(), "messages");
        }));
        return checks;
    }

    private List<Check> listFaultyUpstreams() {
        List<Check> checks = new ArrayList<>();
        for (String model : List.of("relay-failing", "relay-cut")) {
            checks.add(new Check("an upstream that breaks down once, " + model, () -> {
                String mark = newMark();
                Expect.equal(refusal(InternalServerException.class, once, ask(model, mark)).statusCode(), 502);
                Expect.equal(new OpenAiChat(once).complete(model, mark), "Echo: " + mark);
            }));
        }
        checks.add(new Check("a failure is tried again by the client", () -> {
            String mark = newMark();
            Expect.equal(new OpenAiChat(openai).complete("relay-failing", mark), "Echo: " + mark);
            Expect.equal(Surroundings.listSeen(mark).size(), 2);
        }));
        checks.add(new Check("a stream that is cut off after its first part", () -> {
            StringBuilder text = new StringBuilder();
            SseException broken = Expect.failure(SseException.class, () -> {
                try (var chunks = openai.chat().completions().createStreaming(ask("Relay-Cut", newMark()).build())) {
                    chunks.stream().flatMap(chunk -> chunk.choices().stream())
                        .forEach(choice -> text.append(choice.delta().content().orElse("")));
                }
            });
            Expect.equal(text.toString(), "Echo:");
            Expect.equal(broken.code().orElseThrow(), "BadGateway");
        }));
        checks.add(new Check("429 says when to come back", () -> {
            RateLimitException refused = refusal(RateLimitException.class, once, ask("relay-limited", newMark()));
            Expect.equal(refused.headers().values("retry-after"), List.of("2"));
            String exact = String.valueOf(Surroundings.RETRY_AFTER_MS);
            Expect.equal(refused.headers().values("retry-after-ms"), List.of(exact));
        }));
        checks.add(new Check("429 is waited for by the client", () -> {
            String mark = newMark();
            Expect.equal(new OpenAiChat(openai).complete("relay-limited", mark), "Echo: " + mark);
            Surroundings.expectPatience(mark);
        }));
        return checks;
    }

    private List<Check> listDepartures() {
        return List.of(
            new Check("closing a stream ends that of the upstream", () -> {
                String mark = newMark();
                try (var chunks = openai.chat().completions().createStreaming(ask("relay-endless", mark).build())) {
                    chunks.stream().findFirst().orElseThrow();
                }
                Surroundings.expectCutOff(mark);
            }),
            new Check("a timeout before the first byte ends the request of the upstream", () -> {
                String mark = newMark();
                RequestOptions hurried = RequestOptions.builder().timeout(Duration.ofSeconds(2)).build();
                Expect.failure(OpenAIIoException.class,
                    () -> once.chat().completions().create(ask("relay-silent", mark).build(), hurried));
                Surroundings.expectCutOff(mark);
            }));
    }
}
