package conformance;

import static conformance.AzureErrors.refusal;
import static conformance.InferenceChat.ask;
import static conformance.InferenceChat.joinText;
import static conformance.Surroundings.ASKED_TERM;
import static conformance.Surroundings.SAID_TERM;
import static conformance.Surroundings.THREAT;
import static conformance.Surroundings.newMark;

import com.azure.ai.inference.ChatCompletionsAsyncClient;
import com.azure.ai.inference.ChatCompletionsClient;
import com.azure.ai.inference.models.ChatChoice;
import com.azure.ai.inference.models.CompletionsFinishReason;
import com.azure.ai.inference.models.StreamingChatCompletionsUpdate;
import com.azure.core.util.ClientOptions;
import com.azure.core.util.Header;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/** Content filters as azure-ai-inference meets them, which has no types for what they say. */
final class InferenceFilters {
    private static final ChatCompletionsClient CHAT = InferenceChat.builder().buildClient();
    private static final ChatCompletionsAsyncClient ASYNC = InferenceChat.builder().buildAsyncClient();

    private InferenceFilters() {
    }

    private static ChatChoice choose(String model, String text) {
        return CHAT.complete(ask(model, text)).getChoice();
    }

    private static List<StreamingChatCompletionsUpdate> stream(String model, String text) {
        return CHAT.completeStream(ask(model, text)).stream().toList();
    }

    private static CompletionsFinishReason reasonOf(List<StreamingChatCompletionsUpdate> updates) {
        return updates.get(updates.size() - 1).getChoice().getFinishReason();
    }

    private static ChatCompletionsClient under(String policy) {
        List<Header> headers = List.of(new Header("x-policy-id", policy));
        return InferenceChat.builder().clientOptions(new ClientOptions().setHeaders(headers)).buildClient();
    }

    static List<Check> list() {
        return List.of(
            new Check("a prompt is kept back", () -> {
                String mark = newMark();
                expectListed(refusal(400, () -> choose("Filter-Blocking", mark + " " + ASKED_TERM)));
                Expect.equal(Surroundings.listSeen(mark).size(), 0);
            }),
            new Check("a prompt is kept back, streamed and async", () -> {
                expectListed(refusal(400, () -> stream("filter-blocking", ASKED_TERM)));
                expectListed(refusal(400, () -> ASYNC.complete(ask("filter-blocking", ASKED_TERM)).block()));
            }),
            new Check("the default policy keeps a threat back", () -> {
                JsonNode violence = refusal(400, () -> choose("relay-chat", THREAT))
                    .at("/innererror/content_filter_result/violence");
                Expect.equal(violence.toString(), "{\"filtered\":true,\"severity\":\"high\"}");
            }),
            new Check("annotations do no harm", () -> {
                ChatChoice choice = choose("filter-annotating", ASKED_TERM + " " + SAID_TERM);
                Expect.equal(choice.getMessage().getContent(), "Echo: " + ASKED_TERM + " " + SAID_TERM);
                Expect.equal(choice.getFinishReason(), CompletionsFinishReason.STOPPED);
                Expect.equal(joinText(stream("filter-annotating", SAID_TERM)), "Echo: " + SAID_TERM);
            }),
            new Check("an answer is kept back", () -> {
                ChatChoice choice = choose("filter-answers", THREAT);
                Expect.equal(choice.getFinishReason(), CompletionsFinishReason.CONTENT_FILTERED);
                Expect.equal(choice.getMessage().getContent(), null);
            }),
            new Check("a streamed answer is kept back", () -> {
                List<StreamingChatCompletionsUpdate> updates =
                    stream("filter-blocking", "before " + SAID_TERM + " after");
                Expect.equal(joinText(updates), "Echo: before ");
                Expect.equal(reasonOf(updates), CompletionsFinishReason.CONTENT_FILTERED);
            }),
            new Check("an asynchronous filter", () -> {
                Expect.equal(joinText(stream("filter-asynchronous", "an ordinary text")), "Echo: an ordinary text");
                List<StreamingChatCompletionsUpdate> stopped =
                    stream("filter-asynchronous", SAID_TERM + " and on".repeat(400));
                Expect.equal(reasonOf(stopped), CompletionsFinishReason.CONTENT_FILTERED);
                Expect.that(joinText(stopped).length() < SAID_TERM.length() + 1000, "it went on");
            }),
            new Check("the policy of one call", () -> {
                expectListed(refusal(400, () -> under("blocking").complete(ask("filter-off", ASKED_TERM))));
                JsonNode error = refusal(400, () -> under("nothing-like-it").complete(ask("filter-off", "hi")));
                Expect.equal(error.get("code").asText(), "InvalidContentFilterPolicy");
            }));
    }

    /** The refusal of a prompt that has a term of the list. */
    private static void expectListed(JsonNode error) {
        Expect.equal(error.get("code").asText(), "content_filter");
        JsonNode lists = error.at("/innererror/content_filter_result/custom_blocklists");
        Expect.equal(lists.at("/details/0/id").asText(), "asked-terms");
        Expect.equal(lists.get("filtered").asBoolean(), true);
    }
}
