package conformance;

import static conformance.Surroundings.QUESTION;
import static conformance.Surroundings.newMark;

import com.azure.ai.openai.OpenAIClient;
import com.azure.ai.openai.OpenAIClientBuilder;
import com.azure.ai.openai.models.AddUploadPartRequest;
import com.azure.ai.openai.models.Batch;
import com.azure.ai.openai.models.BatchCreateRequest;
import com.azure.ai.openai.models.BatchStatus;
import com.azure.ai.openai.models.CompleteUploadRequest;
import com.azure.ai.openai.models.CreateUploadRequest;
import com.azure.ai.openai.models.CreateUploadRequestPurpose;
import com.azure.ai.openai.models.DataFileDetails;
import com.azure.ai.openai.models.FileDetails;
import com.azure.ai.openai.models.FilePurpose;
import com.azure.ai.openai.models.OpenAIFile;
import com.azure.core.credential.AzureKeyCredential;
import com.azure.core.exception.ClientAuthenticationException;
import com.azure.core.exception.HttpResponseException;
import com.azure.core.exception.ResourceNotFoundException;
import com.azure.core.util.BinaryData;
import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Files, uploads and batches, with azure-ai-openai. */
final class AzureOpenAiBatches {
    private static final OpenAIClient OPENAI = open(Surroundings.KEY);

    private AzureOpenAiBatches() {
    }

    private static OpenAIClient open(String key) {
        return new OpenAIClientBuilder()
            .endpoint(Surroundings.ROOT_URL)
            .credential(new AzureKeyCredential(key))
            .buildClient();
    }

    private static OpenAIFile upload(OpenAIClient openai, String text) {
        return openai.uploadFile(new FileDetails(BinaryData.fromString(text), "input.jsonl"), FilePurpose.BATCH);
    }

    private static String read(String fileId) {
        return new String(OPENAI.getFileContent(fileId), StandardCharsets.UTF_8);
    }

    private static Batch create(String fileId) {
        return OPENAI.createBatch(new BatchCreateRequest("/chat/completions", fileId, "24h"));
    }

    private static Batch submit(String... lines) {
        return create(upload(OPENAI, String.join("", lines)).getId());
    }

    private static Batch await(Batch batch, BatchStatus status) throws InterruptedException {
        return BatchLines.await(() -> OPENAI.getBatch(batch.getId()), found -> found.getStatus().equals(status));
    }

    static List<Check> list() {
        return List.of(
            new Check("files: content, and none after deletion", () -> {
                String text = BatchLines.write("a", "relay-chat", QUESTION);
                OpenAIFile file = upload(OPENAI, text);
                Expect.equal(file.getFilename(), "input.jsonl");
                Expect.equal(file.getBytes(), text.getBytes(StandardCharsets.UTF_8).length);
                Expect.equal(read(file.getId()), text);
                Expect.equal(OPENAI.deleteFile(file.getId()).isDeleted(), true);
                Expect.failure(ResourceNotFoundException.class, () -> OPENAI.getFile(file.getId()));
                Expect.failure(ResourceNotFoundException.class, () -> read(file.getId()));
            }),
            new Check("files: listed by purpose", () -> {
                String id = upload(OPENAI, BatchLines.write("a", "relay-chat", "hi")).getId();
                Expect.equal(OPENAI.listFiles(FilePurpose.BATCH).get(0).getId(), id);
                Expect.that(OPENAI.listFiles(FilePurpose.VISION).isEmpty(), "there are files of another purpose");
            }),
            new Check("files: an upload in parts", () -> {
                String text = BatchLines.write("a", "relay-chat", "hi");
                var asked = new CreateUploadRequest(
                    "parts.jsonl", CreateUploadRequestPurpose.BATCH, text.length(), "application/jsonl");
                String id = OPENAI.createUpload(asked).getId();
                var data = new DataFileDetails(BinaryData.fromString(text)).setFilename("part");
                String part = OPENAI.addUploadPart(id, new AddUploadPartRequest(data)).getId();
                var done = OPENAI.completeUpload(id, new CompleteUploadRequest(List.of(part)));
                Expect.equal(read(done.getFile().getId()), text);
            }),
            new Check("batches: from upload to result", () -> {
                String mark = newMark();
                List<String> lines = new ArrayList<>();
                for (int number = 0; number < 20; number++) {
                    lines.add(BatchLines.write("task-" + number, "relay-chat", mark));
                }
                Batch ended = await(submit(lines.toArray(String[]::new)), BatchStatus.COMPLETED);
                Expect.equal(ended.getRequestCounts().getCompleted(), 20);
                Map<String, JsonNode> found = BatchLines.read(read(ended.getOutputFileId()));
                Expect.equal(found.size(), 20);
                for (JsonNode line : found.values()) {
                    Expect.equal(BatchLines.answerOf(line), "Echo: " + mark);
                }
                Expect.equal(Surroundings.listSeen(mark).size(), 20);
            }),
            new Check("batches: a line that fails is in the error file", () -> {
                Batch ended = await(submit(BatchLines.write("a", "relay-refusing", "hi")), BatchStatus.COMPLETED);
                JsonNode line = BatchLines.read(read(ended.getErrorFileId())).get("a");
                Expect.equal(line.get("response").get("status_code").asInt(), 400);
            }),
            new Check("batches: listed page by page", () -> {
                String fileId = upload(OPENAI, BatchLines.write("a", "relay-chat", "hi")).getId();
                List<String> ids = new ArrayList<>();
                for (int i = 0; i < 3; i++) {
                    ids.add(0, create(fileId).getId());
                }
                var page = OPENAI.listBatches(null, 2);
                Expect.equal(page.getData().stream().map(Batch::getId).toList(), ids.subList(0, 2));
                Expect.that(page.isHasMore(), "there is no more");
                Expect.equal(OPENAI.listBatches(page.getLastId(), 1).getData().get(0).getId(), ids.get(2));
            }),
            new Check("batches: cancelled", () -> {
                Batch batch = await(submit(BatchLines.write("a", "relay-paused", "hi")), BatchStatus.IN_PROGRESS);
                Expect.that(OPENAI.cancelBatch(batch.getId()).getCancellingAt() != null, "it is not being cancelled");
                Expect.that(await(batch, BatchStatus.CANCELLED).getCancelledAt() != null, "it was not cancelled");
            }),
            new Check("batches: what is wrong with an input is told by its line", () -> {
                String line = BatchLines.write("a", "relay-chat", "hi");
                Batch failed = await(submit(line, "{\n", line), BatchStatus.FAILED);
                List<String> found = failed.getErrors().getData().stream()
                    .map(error -> error.getCode() + " " + error.getLine())
                    .toList();
                Expect.equal(found, List.of("invalid_json_line 2", "duplicate_custom_id 3"));
            }),
            new Check("batches: a file that is not there", () -> {
                var refused = Expect.failure(HttpResponseException.class, () -> create("file-nothing-like-it"));
                Expect.equal(refused.getResponse().getStatusCode(), 400);
                Expect.that(refused.getMessage().contains("input_file_id"), "got " + refused.getMessage());
            }),
            new Check("files and batches: a wrong key", () -> {
                Expect.failure(ClientAuthenticationException.class, () -> upload(open("wrong"), "{}"));
                Expect.failure(ClientAuthenticationException.class, () -> open("wrong").listBatches());
            }));
    }
}
