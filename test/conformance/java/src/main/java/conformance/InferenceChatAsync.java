package conformance;

import static conformance.InferenceChat.ask;
import static conformance.InferenceChat.joinText;
import static conformance.Surroundings.QUESTION;
import static conformance.Surroundings.newMark;

import com.azure.ai.inference.ChatCompletionsAsyncClient;
import com.azure.ai.inference.models.ChatCompletionsOptions;
import com.azure.ai.inference.models.StreamingChatCompletionsUpdate;
import com.azure.core.credential.AzureKeyCredential;
import com.azure.core.exception.ClientAuthenticationException;
import java.util.ArrayList;
import java.util.List;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** azure-ai-inference, the ChatCompletionsAsyncClient. */
final class InferenceChatAsync {
    private static final ChatCompletionsAsyncClient CHAT = InferenceChat.builder().buildAsyncClient();

    private InferenceChatAsync() {
    }

    private static Mono<String> complete(String model, String text) {
        return CHAT.complete(ask(model, text)).map(answer -> answer.getChoice().getMessage().getContent());
    }

    private static List<StreamingChatCompletionsUpdate> collect(ChatCompletionsOptions options) {
        return CHAT.completeStream(options).collectList().block();
    }

    static List<Check> list() {
        List<Check> checks = new ArrayList<>();
        for (String model : Surroundings.MODELS) {
            checks.add(new Check("whole, " + model,
                () -> InferenceChat.expectWhole(CHAT.complete(ask(model, QUESTION)).block())));
            checks.add(new Check("stream, " + model, () -> InferenceChat.expectStream(collect(ask(model, QUESTION)))));
        }
        checks.add(new Check("a stream is passed on while the upstream still writes", () -> {
            String mark = newMark();
            List<StreamingChatCompletionsUpdate> updates = new ArrayList<>();
            CHAT.completeStream(ask("relay-gated", mark)).doOnNext(update -> {
                updates.add(update);
                if (!joinText(updates).isEmpty()) {
                    Surroundings.release(mark);
                }
            }).blockLast();
            Expect.equal(joinText(updates), "Echo: " + mark);
        }));
        checks.add(new Check("twenty at once", () -> {
            List<String> marks = Flux.range(0, 20).map(index -> newMark()).collectList().block();
            List<String> answers = Flux.fromIterable(marks)
                .flatMapSequential(mark -> complete("relay-chat", mark), 20)
                .collectList()
                .block();
            Expect.equal(answers, marks.stream().map(mark -> "Echo: " + mark).toList());
        }));
        checks.add(new Check("wrong key", () -> {
            ChatCompletionsAsyncClient chat =
                InferenceChat.builder().credential(new AzureKeyCredential("wrong")).buildAsyncClient();
            AzureErrors.refusal(ClientAuthenticationException.class, 401,
                () -> chat.complete(ask("relay-chat", "hi")).block());
        }));
        checks.add(new Check("unknown model, streamed", () -> {
            Check.Body attempt = () -> collect(ask("relay-chatt", "hi"));
            Expect.equal(AzureErrors.refusal(400, attempt).get("code").asText(), "unknown_model");
        }));
        checks.add(new Check("429 is waited for by the client", () -> {
            String mark = newMark();
            Expect.equal(complete("relay-limited", mark).block(), "Echo: " + mark);
            Surroundings.expectPatience(mark);
        }));
        checks.add(new Check("a stream that is cut off after its first part",
            () -> Expect.equal(joinText(collect(ask("Relay-Cut", newMark()))), "Echo:")));
        return checks;
    }
}
