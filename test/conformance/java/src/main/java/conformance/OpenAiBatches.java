package conformance;

import static conformance.Surroundings.QUESTION;
import static conformance.Surroundings.newMark;

import com.fasterxml.jackson.databind.JsonNode;
import com.openai.client.OpenAIClient;
import com.openai.core.MultipartField;
import com.openai.core.http.HttpResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.errors.UnauthorizedException;
import com.openai.models.batches.Batch;
import com.openai.models.batches.BatchCreateParams;
import com.openai.models.batches.BatchListParams;
import com.openai.models.batches.BatchRequestCounts;
import com.openai.models.files.FileCreateParams;
import com.openai.models.files.FileListParams;
import com.openai.models.files.FileObject;
import com.openai.models.files.FilePurpose;
import com.openai.models.uploads.UploadCompleteParams;
import com.openai.models.uploads.UploadCreateParams;
import com.openai.models.uploads.parts.PartCreateParams;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Files, uploads and batches, with openai-java. */
final class OpenAiBatches {
    private final OpenAIClient openai;
    private final OpenAIClient withWrongKey;

    OpenAiBatches(OpenAIClient openai, OpenAIClient withWrongKey) {
        this.openai = openai;
        this.withWrongKey = withWrongKey;
    }

    private static FileCreateParams file(String text) {
        InputStream content = new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
        var field = MultipartField.<InputStream>builder().value(content).filename("input.jsonl").build();
        return FileCreateParams.builder().file(field).purpose(FilePurpose.BATCH).build();
    }

    private FileObject upload(String text) {
        return openai.files().create(file(text)).validate();
    }

    private String read(String fileId) throws IOException {
        try (HttpResponse response = openai.files().content(fileId)) {
            return new String(response.body().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private Batch create(String fileId) {
        return openai.batches().create(BatchCreateParams.builder()
            .inputFileId(fileId)
            .endpoint(BatchCreateParams.Endpoint.V1_CHAT_COMPLETIONS)
            .completionWindow(BatchCreateParams.CompletionWindow._24H)
            .build());
    }

    private Batch submit(String... lines) {
        return create(upload(String.join("", lines)).id());
    }

    private Batch await(Batch batch, Batch.Status status) throws InterruptedException {
        return BatchLines.await(() -> openai.batches().retrieve(batch.id()).validate(), found -> found.status().equals(status));
    }

    private List<String> uploadFive() {
        List<String> ids = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            ids.add(0, upload(BatchLines.write("a", "relay-chat", "hi")).id());
        }
        return ids;
    }

    List<Check> list() {
        return List.of(
            new Check("files: content, and none after deletion", () -> {
                String text = BatchLines.write("a", "relay-chat", QUESTION);
                FileObject file = upload(text);
                Expect.equal(file.filename(), "input.jsonl");
                Expect.equal(file.bytes(), (long) text.getBytes(StandardCharsets.UTF_8).length);
                Expect.equal(read(file.id()), text);
                Expect.equal(openai.files().delete(file.id()).validate().deleted(), true);
                Expect.failure(NotFoundException.class, () -> openai.files().retrieve(file.id()));
                Expect.failure(NotFoundException.class, () -> read(file.id()));
            }),
            new Check("files: listed page by page", () -> {
                List<String> ids = uploadFive();
                var page = openai.files().list(FileListParams.builder().purpose("batch").limit(2).build());
                Expect.equal(page.data().stream().map(FileObject::id).toList(), ids.subList(0, 2));
                Expect.equal(page.autoPager().stream().limit(5).map(FileObject::id).toList(), ids);
            }),
            new Check("files: an upload in parts", () -> {
                List<String> pieces =
                    List.of(BatchLines.write("a", "relay-chat", "hi"), BatchLines.write("b", "relay-chat", "hi"));
                String text = String.join("", pieces);
                var upload = openai.uploads().create(UploadCreateParams.builder()
                    .bytes(text.length()).filename("parts.jsonl").mimeType("application/jsonl").purpose(FilePurpose.BATCH)
                    .build());
                List<String> parts = new ArrayList<>();
                for (String piece : pieces) {
                    var data = PartCreateParams.builder().data(piece.getBytes(StandardCharsets.UTF_8)).build();
                    parts.add(openai.uploads().parts().create(upload.id(), data).validate().id());
                }
                var params = UploadCompleteParams.builder().partIds(parts).build();
                var done = openai.uploads().complete(upload.id(), params).validate();
                Expect.equal(read(done.file().orElseThrow().id()), text);
            }),
            new Check("batches: from upload to result", () -> {
                String mark = newMark();
                String[] lines = IntStream.range(0, 20)
                    .mapToObj(number -> BatchLines.write("task-" + number, "relay-chat", mark))
                    .toArray(String[]::new);
                Batch ended = await(submit(lines), Batch.Status.COMPLETED);
                var counts = BatchRequestCounts.builder().total(20).completed(20).failed(0).build();
                Expect.equal(ended.requestCounts().orElseThrow(), counts);
                Map<String, JsonNode> found = BatchLines.read(read(ended.outputFileId().orElseThrow()));
                Expect.equal(found.size(), 20);
                for (JsonNode line : found.values()) {
                    Expect.equal(BatchLines.answerOf(line), "Echo: " + mark);
                }
                Expect.equal(Surroundings.listSeen(mark).size(), 20);
            }),
            new Check("batches: a line that fails is in the error file", () -> {
                Batch ended = await(submit(BatchLines.write("a", "relay-refusing", "hi")), Batch.Status.COMPLETED);
                JsonNode line = BatchLines.read(read(ended.errorFileId().orElseThrow())).get("a");
                Expect.equal(line.get("response").get("status_code").asInt(), 400);
            }),
            new Check("batches: listed page by page", () -> {
                String fileId = upload(BatchLines.write("a", "relay-chat", "hi")).id();
                List<String> ids = new ArrayList<>();
                for (int i = 0; i < 3; i++) {
                    ids.add(0, create(fileId).id());
                }
                var page = openai.batches().list(BatchListParams.builder().limit(2).build());
                Expect.equal(page.autoPager().stream().limit(3).map(Batch::id).toList(), ids);
            }),
            new Check("batches: cancelled", () -> {
                Batch batch = await(submit(BatchLines.write("a", "relay-paused", "hi")), Batch.Status.IN_PROGRESS);
                Expect.that(openai.batches().cancel(batch.id()).cancellingAt().isPresent(), "it is not being cancelled");
                Expect.that(await(batch, Batch.Status.CANCELLED).cancelledAt().isPresent(), "it was not cancelled");
            }),
            new Check("batches: what is wrong with an input is told by its line", () -> {
                String line = BatchLines.write("a", "relay-chat", "hi");
                Batch failed = await(submit(line, "{\n", line), Batch.Status.FAILED);
                var errors = failed.errors().orElseThrow().data().orElseThrow();
                List<String> found = errors.stream()
                    .map(error -> error.code().orElseThrow() + " " + error.line().orElseThrow())
                    .toList();
                Expect.equal(found, List.of("invalid_json_line 2", "duplicate_custom_id 3"));
            }),
            new Check("batches: a file that is not there", () -> {
                var refused = Expect.failure(BadRequestException.class, () -> create("file-nothing-like-it"));
                Expect.that(refused.getMessage().contains("input_file_id"), "got " + refused.getMessage());
            }),
            new Check("files and batches: a wrong key", () -> {
                Expect.failure(UnauthorizedException.class, () -> withWrongKey.files().create(file("{}")));
                Expect.failure(UnauthorizedException.class, () -> withWrongKey.batches().list());
            }));
    }
}
