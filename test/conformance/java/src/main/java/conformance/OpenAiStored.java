package conformance;

import static conformance.Surroundings.QUESTION;
import static conformance.Surroundings.newMark;

import com.openai.client.OpenAIClient;
import com.openai.core.JsonValue;
import com.openai.core.http.StreamResponse;
import com.openai.errors.NotFoundException;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionListParams;
import com.openai.models.chat.completions.ChatCompletionUpdateParams;
import com.openai.models.chat.completions.messages.MessageListParams;
import com.openai.services.blocking.chat.ChatCompletionService;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Chats that are stored, with openai-java. */
final class OpenAiStored {
    private final ChatCompletionService stored;

    OpenAiStored(OpenAIClient openai) {
        stored = openai.chat().completions();
    }

    private static ChatCompletionCreateParams.Builder ask(String model, String mark) {
        var metadata = ChatCompletionCreateParams.Metadata.builder()
            .putAdditionalProperty("mark", JsonValue.from(mark))
            .build();
        return OpenAiChat.ask(model, QUESTION).maxTokens(8).store(true).metadata(metadata);
    }

    private List<String> storeFive(String mark) {
        List<String> ids = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            ids.add(stored.create(ask("mistral-large", mark).build()).id());
        }
        return ids;
    }

    private static ChatCompletionListParams.Builder pages(String mark) {
        var metadata = ChatCompletionListParams.Metadata.builder().putAdditionalProperty("mark", mark).build();
        return ChatCompletionListParams.builder().metadata(metadata).limit(2);
    }

    private List<String> listIds(ChatCompletionListParams params) {
        return stored.list(params).autoPager().stream().map(ChatCompletion::id).toList();
    }

    List<Check> list() {
        return List.of(
            new Check("stored: an answer is found", () -> {
                ChatCompletion answer = stored.create(ask("mistral-large", newMark()).build());
                ChatCompletion found = stored.retrieve(answer.id()).validate();
                Expect.equal(OpenAiChat.textOf(found), OpenAiChat.textOf(answer));
                Expect.equal(found.usage(), answer.usage());
            }),
            new Check("stored: a stream is found as one answer", () -> {
                ChatCompletionAccumulator answer = ChatCompletionAccumulator.create();
                var params = ask("mistral-large", newMark()).build();
                try (StreamResponse<ChatCompletionChunk> chunks = stored.createStreaming(params)) {
                    chunks.stream().forEach(answer::accumulate);
                }
                ChatCompletion whole = answer.chatCompletion();
                Expect.equal(OpenAiChat.textOf(stored.retrieve(whole.id())), OpenAiChat.textOf(whole));
            }),
            new Check("stored: a relayed answer is found by its metadata", () -> {
                String mark = newMark();
                stored.create(ask("relay-chat", mark).build());
                ChatCompletion found = stored.list(pages(mark).build()).data().get(0);
                Expect.equal(OpenAiChat.textOf(found), "Echo: " + QUESTION);
            }),
            new Check("stored: pages, forwards and backwards", () -> {
                String mark = newMark();
                List<String> ids = storeFive(mark);
                Expect.equal(listIds(pages(mark).build()), ids);
                List<String> backwards = listIds(pages(mark).order(ChatCompletionListParams.Order.DESC).build());
                Expect.equal(backwards, List.of(ids.get(4), ids.get(3), ids.get(2), ids.get(1), ids.get(0)));
            }),
            new Check("stored: deleting while paging", () -> {
                String mark = newMark();
                List<String> ids = storeFive(mark);
                for (ChatCompletion item : stored.list(pages(mark).build()).autoPager()) {
                    Expect.equal(stored.delete(item.id()).validate().deleted(), true);
                    Expect.equal(item.id(), ids.remove(0));
                }
                Expect.equal(ids, List.of());
                Expect.equal(listIds(pages(mark).build()), List.of());
            }),
            new Check("stored: metadata is replaced", () -> {
                String mark = newMark();
                String id = stored.create(ask("mistral-large", newMark()).build()).id();
                var metadata = ChatCompletionUpdateParams.Metadata.builder()
                    .putAdditionalProperty("mark", JsonValue.from(mark))
                    .build();
                var changed = stored.update(id, ChatCompletionUpdateParams.builder().metadata(metadata).build());
                var pairs = changed.metadata().orElseThrow()._additionalProperties();
                Expect.equal(pairs, Map.of("mark", JsonValue.from(mark)));
                Expect.equal(listIds(pages(mark).build()), List.of(id));
            }),
            new Check("stored: messages", () -> {
                String id = stored.create(ask("mistral-large", newMark()).addSystemMessage("Be brief.").build()).id();
                var page = stored.messages().list(id, MessageListParams.builder().limit(1).build());
                List<String> texts = page.autoPager().stream().map(message -> message.content().orElse("")).toList();
                Expect.equal(texts, List.of(QUESTION, "Be brief."));
            }),
            new Check("stored: what was never stored is not found",
                () -> Expect.failure(NotFoundException.class, () -> stored.retrieve("chatcmpl-none"))));
    }
}
