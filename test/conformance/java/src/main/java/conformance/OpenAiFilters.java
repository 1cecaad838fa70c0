package conformance;

import static conformance.OpenAiChat.ask;
import static conformance.Surroundings.ASKED_TERM;
import static conformance.Surroundings.SAID_TERM;
import static conformance.Surroundings.THREAT;
import static conformance.Surroundings.newMark;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.openai.client.OpenAIClient;
import com.openai.core.JsonValue;
import com.openai.errors.BadRequestException;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.completions.CompletionCreateParams;
import com.openai.models.moderations.Moderation;
import com.openai.models.moderations.ModerationCreateParams;
import java.util.List;
import java.util.Map;

/** Content filters as openai-java meets them: what it has no types for is among its additional properties. */
final class OpenAiFilters {
    private static final JsonMapper JSON = new JsonMapper();

    private final OpenAIClient openai;

    OpenAiFilters(OpenAIClient openai) {
        this.openai = openai;
    }

    private ChatCompletion complete(String model, String text) {
        return openai.chat().completions().create(ask(model, text).build());
    }

    private List<ChatCompletionChunk> stream(String model, String text) {
        try (var chunks = openai.chat().completions().createStreaming(ask(model, text).build())) {
            return chunks.stream().toList();
        }
    }

    private static List<ChatCompletionChunk.Choice> listChoices(List<ChatCompletionChunk> chunks) {
        return chunks.stream().flatMap(chunk -> chunk.choices().stream()).toList();
    }

    /** Choices may come without a delta, for which the client's own reader throws. */
    private static String joinText(List<ChatCompletionChunk> chunks) {
        StringBuilder text = new StringBuilder();
        for (ChatCompletionChunk.Choice choice : listChoices(chunks)) {
            choice._delta().asKnown().flatMap(ChatCompletionChunk.Choice.Delta::content).ifPresent(text::append);
        }
        return text.toString();
    }

    private static JsonNode read(Map<String, JsonValue> properties, String name) {
        return JSON.valueToTree(properties.get(name));
    }

    private static ChatCompletionChunk.Choice lastOf(List<ChatCompletionChunk> chunks) {
        List<ChatCompletionChunk.Choice> choices = listChoices(chunks);
        return choices.get(choices.size() - 1);
    }

    private static JsonNode refusal(Check.Body body) {
        BadRequestException refused = Expect.failure(BadRequestException.class, body);
        Expect.equal(refused.code().orElseThrow(), "content_filter");
        return JSON.valueToTree(refused.body()).at("/innererror/content_filter_result");
    }

    List<Check> list() {
        return List.of(
            new Check("filters: a prompt is kept back", () -> {
                String mark = newMark();
                JsonNode results = refusal(() -> complete("Filter-Blocking", mark + " " + ASKED_TERM));
                Expect.equal(results.at("/custom_blocklists/details/0/id").asText(), "asked-terms");
                Expect.equal(Surroundings.listSeen(mark).size(), 0);
            }),
            new Check("filters: a prompt is kept back, streamed",
                () -> refusal(() -> stream("filter-blocking", ASKED_TERM))),
            new Check("filters: the default policy keeps a threat back", () -> {
                JsonNode violence = refusal(() -> complete("relay-chat", THREAT)).get("violence");
                Expect.equal(violence.toString(), "{\"filtered\":true,\"severity\":\"high\"}");
            }),
            new Check("filters: annotations of prompt and answer", () -> {
                ChatCompletion answer = complete("filter-annotating", ASKED_TERM + " " + SAID_TERM);
                answer.validate();
                JsonNode prompts = read(answer._additionalProperties(), "prompt_filter_results");
                String asked = prompts.at("/0/content_filter_results/custom_blocklists/details/0/id").asText();
                ChatCompletion.Choice choice = answer.choices().get(0);
                JsonNode results = read(choice._additionalProperties(), "content_filter_results");
                String said = results.at("/custom_blocklists/details/0/id").asText();
                Expect.equal(List.of(asked, said), List.of("asked-terms", "said-terms"));
                Expect.equal(results.at("/hate/severity").asText(), "safe");
                Expect.equal(choice.finishReason(), ChatCompletion.Choice.FinishReason.STOP);
            }),
            new Check("filters: an answer is kept back", () -> {
                ChatCompletion.Choice choice = complete("filter-answers", THREAT).choices().get(0);
                Expect.equal(choice.finishReason(), ChatCompletion.Choice.FinishReason.CONTENT_FILTER);
                Expect.that(choice.message().content().isEmpty(), "there is a content");
                JsonNode results = read(choice._additionalProperties(), "content_filter_results");
                Expect.equal(results.at("/violence/filtered").asBoolean(), true);
            }),
            new Check("filters: a streamed answer is kept back", () -> {
                List<ChatCompletionChunk> chunks = stream("filter-blocking", "before " + SAID_TERM + " after");
                Expect.equal(joinText(chunks), "Echo: before ");
                ChatCompletionChunk.Choice last = lastOf(chunks);
                Expect.equal(last.finishReason().orElseThrow(), ChatCompletionChunk.Choice.FinishReason.CONTENT_FILTER);
                JsonNode results = read(last._additionalProperties(), "content_filter_results");
                Expect.equal(results.at("/custom_blocklists/filtered").asBoolean(), true);
            }),
            new Check("filters: answers that go out at once, annotated in either shape", () -> {
                for (String model : List.of("filter-asynchronous", "filter-strict")) {
                    Expect.equal(joinText(stream(model, "an ordinary text")), "Echo: an ordinary text");
                    ChatCompletionChunk.Choice last = lastOf(stream(model, SAID_TERM));
                    Expect.equal(last.finishReason().orElseThrow(),
                        ChatCompletionChunk.Choice.FinishReason.CONTENT_FILTER);
                }
            }),
            new Check("filters: completions", () -> {
                CompletionCreateParams.Builder params = CompletionCreateParams.builder().model("filter-blocking");
                refusal(() -> openai.completions().create(params.prompt(ASKED_TERM).build()));
                var choice = openai.completions().create(params.prompt(SAID_TERM).build()).choices().get(0);
                Expect.equal(List.of(choice.finishReason().asString(), choice.text()), List.of("content_filter", ""));
            }),
            new Check("filters: the policy of one call", () -> {
                var params = ask("filter-off", ASKED_TERM).putAdditionalHeader("x-policy-id", "blocking").build();
                refusal(() -> openai.chat().completions().create(params));
                var unknown = ask("filter-off", "hi").putAdditionalHeader("x-policy-id", "nothing-like-it").build();
                BadRequestException refused =
                    Expect.failure(BadRequestException.class, () -> openai.chat().completions().create(unknown));
                Expect.equal(refused.code().orElseThrow(), "InvalidContentFilterPolicy");
            }),
            new Check("filters: moderations without a deployment", () -> {
                ModerationCreateParams params =
                    ModerationCreateParams.builder().inputOfStrings(List.of("What a lovely day.", THREAT)).build();
                List<Moderation> results = openai.moderations().create(params).validate().results();
                Expect.equal(results.stream().map(Moderation::flagged).toList(), List.of(false, true));
                Expect.equal(results.get(1).categories().violence(), true);
            }));
    }
}
