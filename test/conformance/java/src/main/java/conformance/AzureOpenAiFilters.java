package conformance;

import static conformance.AzureErrors.refusal;
import static conformance.Surroundings.ASKED_TERM;
import static conformance.Surroundings.SAID_TERM;
import static conformance.Surroundings.THREAT;
import static conformance.Surroundings.newMark;

import com.azure.ai.openai.OpenAIAsyncClient;
import com.azure.ai.openai.OpenAIClient;
import com.azure.ai.openai.OpenAIClientBuilder;
import com.azure.ai.openai.models.ChatChoice;
import com.azure.ai.openai.models.ChatCompletions;
import com.azure.ai.openai.models.ChatCompletionsOptions;
import com.azure.ai.openai.models.ChatRequestUserMessage;
import com.azure.ai.openai.models.ChatResponseMessage;
import com.azure.ai.openai.models.Choice;
import com.azure.ai.openai.models.Completions;
import com.azure.ai.openai.models.CompletionsFinishReason;
import com.azure.ai.openai.models.CompletionsOptions;
import com.azure.ai.openai.models.ContentFilterResult;
import com.azure.ai.openai.models.ContentFilterResultDetailsForPrompt;
import com.azure.ai.openai.models.ContentFilterResultsForChoice;
import com.azure.ai.openai.models.ContentFilterResultsForPrompt;
import com.azure.ai.openai.models.ContentFilterSeverity;
import com.azure.core.credential.AzureKeyCredential;
import com.azure.core.http.HttpHeaderName;
import com.azure.core.http.rest.RequestOptions;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;

/** Content filters as azure-ai-openai meets them, which has types for what they say. */
final class AzureOpenAiFilters {
    private static final OpenAIClient OPENAI = builder().buildClient();
    private static final OpenAIAsyncClient ASYNC = builder().buildAsyncClient();

    private AzureOpenAiFilters() {
    }

    private static OpenAIClientBuilder builder() {
        return new OpenAIClientBuilder()
            .endpoint(Surroundings.ROOT_URL)
            .credential(new AzureKeyCredential(Surroundings.KEY));
    }

    private static ChatCompletionsOptions ask(String text) {
        return new ChatCompletionsOptions(List.of(new ChatRequestUserMessage(text)));
    }

    private static ChatCompletions complete(String deployment, String text) {
        return OPENAI.getChatCompletions(deployment, ask(text));
    }

    private static List<ChatCompletions> stream(String deployment, String text) {
        return OPENAI.getChatCompletionsStream(deployment, ask(text)).stream().toList();
    }

    private static List<ChatChoice> listChoices(List<ChatCompletions> chunks) {
        return chunks.stream().flatMap(chunk -> chunk.getChoices().stream()).toList();
    }

    private static String joinText(List<ChatCompletions> chunks) {
        return listChoices(chunks).stream()
            .map(ChatChoice::getDelta)
            .filter(Objects::nonNull)
            .map(ChatResponseMessage::getContent)
            .filter(Objects::nonNull)
            .collect(Collectors.joining());
    }

    private static <T> T lastOf(List<T> items) {
        return items.get(items.size() - 1);
    }

    private static void expectHarm(ContentFilterResult result, boolean filtered, ContentFilterSeverity severity) {
        Expect.equal(result.isFiltered(), filtered);
        Expect.equal(result.getSeverity(), severity);
    }

    static List<Check> list() {
        return List.of(
            new Check("a prompt is kept back", () -> {
                String mark = newMark();
                JsonNode error = refusal(400, () -> complete("Filter-Blocking", mark + " " + ASKED_TERM));
                expectListed(error);
                JsonNode results = error.at("/inner_error/content_filter_results");
                Expect.equal(results.at("/custom_blocklists/filtered").asBoolean(), true);
                Expect.equal(Surroundings.listSeen(mark).size(), 0);
            }),
            new Check("a prompt is kept back, streamed and async", () -> {
                expectListed(refusal(400, () -> stream("filter-blocking", ASKED_TERM)));
                expectListed(refusal(400, () -> ASYNC.getChatCompletions("filter-blocking", ask(ASKED_TERM)).block()));
            }),
            new Check("the default policy keeps a threat back", () -> {
                JsonNode violence = refusal(400, () -> complete("relay-chat", THREAT))
                    .at("/innererror/content_filter_result/violence");
                Expect.equal(violence.toString(), "{\"filtered\":true,\"severity\":\"high\"}");
            }),
            new Check("typed annotations of the prompt", () -> {
                List<ContentFilterResultsForPrompt> prompts =
                    complete("filter-annotating", ASKED_TERM + " " + THREAT).getPromptFilterResults();
                Expect.equal(prompts.size(), 1);
                Expect.equal(prompts.get(0).getPromptIndex(), 0);
                ContentFilterResultDetailsForPrompt results = prompts.get(0).getContentFilterResults();
                expectHarm(results.getHate(), false, ContentFilterSeverity.SAFE);
                expectHarm(results.getSelfHarm(), false, ContentFilterSeverity.SAFE);
                expectHarm(results.getSexual(), false, ContentFilterSeverity.SAFE);
                expectHarm(results.getViolence(), false, ContentFilterSeverity.HIGH);
                Expect.equal(results.getJailbreak().isDetected(), false);
                Expect.equal(results.getCustomBlocklists().isFiltered(), false);
                Expect.equal(results.getCustomBlocklists().getDetails().get(0).getId(), "asked-terms");
            }),
            new Check("typed annotations of the answer", () -> {
                ChatChoice choice = complete("filter-annotating", SAID_TERM + " " + THREAT).getChoices().get(0);
                Expect.equal(choice.getFinishReason(), CompletionsFinishReason.STOPPED);
                ContentFilterResultsForChoice results = choice.getContentFilterResults();
                expectHarm(results.getHate(), false, ContentFilterSeverity.SAFE);
                expectHarm(results.getViolence(), false, ContentFilterSeverity.HIGH);
                Expect.equal(results.getProtectedMaterialText().isDetected(), false);
                Expect.equal(results.getProtectedMaterialCode().isDetected(), false);
                Expect.equal(results.getCustomBlocklists().getDetails().get(0).getId(), "said-terms");
                Expect.equal(results.getError(), null);
            }),
            new Check("an answer is kept back", () -> {
                ChatChoice choice = complete("filter-answers", THREAT).getChoices().get(0);
                Expect.equal(choice.getFinishReason(), CompletionsFinishReason.CONTENT_FILTERED);
                Expect.equal(choice.getMessage().getContent(), null);
                expectHarm(choice.getContentFilterResults().getViolence(), true, ContentFilterSeverity.HIGH);
            }),
            new Check("a streamed answer is kept back", () -> {
                List<ChatCompletions> chunks = stream("filter-blocking", "before " + SAID_TERM + " after");
                Expect.equal(joinText(chunks), "Echo: before ");
                ChatChoice last = lastOf(listChoices(chunks));
                Expect.equal(last.getFinishReason(), CompletionsFinishReason.CONTENT_FILTERED);
                Expect.equal(last.getContentFilterResults().getCustomBlocklists().isFiltered(), true);
            }),
            new Check("every piece of a stream is annotated", () -> {
                List<ChatCompletions> chunks = stream("filter-annotating", ASKED_TERM + " an ordinary text");
                ContentFilterResultsForPrompt prompt = chunks.get(0).getPromptFilterResults().get(0);
                Expect.equal(prompt.getContentFilterResults().getCustomBlocklists().getDetails().size(), 1);
                Expect.equal(joinText(chunks), "Echo: " + ASKED_TERM + " an ordinary text");
                for (ChatChoice choice : listChoices(chunks)) {
                    String text = choice.getDelta().getContent();
                    if (text != null && !text.isEmpty()) {
                        expectHarm(choice.getContentFilterResults().getHate(), false, ContentFilterSeverity.SAFE);
                    }
                }
            }),
            new Check("an asynchronous filter", () -> {
                List<ChatCompletions> chunks = stream("filter-asynchronous", "an ordinary text");
                Expect.equal(joinText(chunks), "Echo: an ordinary text");
                Expect.that(listChoices(chunks).stream().allMatch(choice -> choice.getDelta() != null), "no delta");
                List<ChatCompletions> stopped =
                    stream("filter-asynchronous", SAID_TERM + " and on".repeat(400));
                ChatChoice last = lastOf(listChoices(stopped));
                Expect.equal(last.getFinishReason(), CompletionsFinishReason.CONTENT_FILTERED);
                Expect.that(joinText(stopped).length() < SAID_TERM.length() + 1000, "it went on");
            }),
            new Check("annotations in the shape of Azure have no delta", () -> {
                // The client gives null for it; whoever reads on has to look first.
                List<ChatCompletions> chunks = stream("filter-strict", "an ordinary text");
                Expect.equal(joinText(chunks), "Echo: an ordinary text");
                List<ChatChoice> notes =
                    listChoices(chunks).stream().filter(choice -> choice.getDelta() == null).toList();
                Expect.equal(notes.size(), 1);
                expectHarm(notes.get(0).getContentFilterResults().getHate(), false, ContentFilterSeverity.SAFE);
            }),
            new Check("completions", () -> {
                CompletionsOptions options = new CompletionsOptions(List.of(ASKED_TERM));
                expectListed(refusal(400, () -> OPENAI.getCompletions("filter-blocking", options)));
                Completions answer = OPENAI.getCompletions("filter-blocking", new CompletionsOptions(List.of(SAID_TERM)));
                Choice choice = answer.getChoices().get(0);
                Expect.equal(choice.getFinishReason(), CompletionsFinishReason.CONTENT_FILTERED);
                Expect.equal(choice.getText(), "");
                Expect.equal(choice.getContentFilterResults().getCustomBlocklists().isFiltered(), true);
                expectHarm(answer.getPromptFilterResults().get(0).getContentFilterResults().getHate(), false,
                    ContentFilterSeverity.SAFE);
            }),
            new Check("the policy of one call", () -> {
                HttpHeaderName header = HttpHeaderName.fromString("x-policy-id");
                RequestOptions under = new RequestOptions().setHeader(header, "blocking");
                expectListed(refusal(400,
                    () -> OPENAI.getChatCompletionsWithResponse("filter-off", ask(ASKED_TERM), under)));
                RequestOptions unknown = new RequestOptions().setHeader(header, "nothing-like-it");
                JsonNode error = refusal(400,
                    () -> OPENAI.getChatCompletionsWithResponse("filter-off", ask("hi"), unknown));
                Expect.equal(error.get("code").asText(), "InvalidContentFilterPolicy");
            }),
            new Check("where nothing is filtered nothing is annotated", () -> {
                ChatCompletions answer = complete("filter-off", THREAT);
                Expect.equal(answer.getPromptFilterResults(), null);
                Expect.equal(answer.getChoices().get(0).getContentFilterResults(), null);
            }));
    }

    /** The refusal of a prompt that has a term of the list. */
    private static void expectListed(JsonNode error) {
        Expect.equal(error.get("code").asText(), "content_filter");
        JsonNode results = error.at("/innererror/content_filter_result");
        Expect.equal(results.at("/custom_blocklists/details/0/id").asText(), "asked-terms");
        Expect.equal(results.get("hate").toString(), "{\"filtered\":false,\"severity\":\"safe\"}");
    }
}
