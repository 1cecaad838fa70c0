package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

// How long a batch of a few lines may take.
const batchLimit = 30 * time.Second

func writeLine(customID, model, text string) string {
	body := map[string]any{"model": model, "messages": []any{map[string]any{"role": "user", "content": text}}}
	line := map[string]any{"custom_id": customID, "method": "POST", "url": "/v1/chat/completions", "body": body}
	encoded, err := json.Marshal(line)
	must(err)
	return string(encoded) + "\n"
}

// resultLine is a line of an output or error file.
type resultLine struct {
	CustomID string `json:"custom_id"`
	Response struct {
		StatusCode int                   `json:"status_code"`
		Body       openai.ChatCompletion `json:"body"`
	} `json:"response"`
}

func upload(ctx context.Context, client openai.Client, text string) string {
	file := openai.File(strings.NewReader(text), "input.jsonl", "application/jsonl")
	made, err := client.Files.New(ctx, openai.FileNewParams{File: file, Purpose: openai.FilePurposeBatch})
	must(err)
	expectEqual([]any{made.Bytes, made.Filename}, []any{int64(len(text)), "input.jsonl"})
	return made.ID
}

func askForBatch(fileID string) openai.BatchNewParams {
	return openai.BatchNewParams{
		InputFileID:      fileID,
		Endpoint:         openai.BatchNewParamsEndpointV1ChatCompletions,
		CompletionWindow: openai.BatchNewParamsCompletionWindow24h,
	}
}

func submit(ctx context.Context, client openai.Client, lines ...string) *openai.Batch {
	batch, err := client.Batches.New(ctx, askForBatch(upload(ctx, client, strings.Join(lines, ""))))
	must(err)
	return batch
}

func waitFor(ctx context.Context, client openai.Client, batch *openai.Batch, states ...openai.BatchStatus) *openai.Batch {
	end := time.Now().Add(batchLimit)
	for !slices.Contains(states, batch.Status) {
		expect(time.Now().Before(end), "the batch stays %s", batch.Status)
		time.Sleep(100 * time.Millisecond)
		found, err := client.Batches.Get(ctx, batch.ID)
		must(err)
		batch = found
	}
	return batch
}

func readContent(ctx context.Context, client openai.Client, fileID string) string {
	response, err := client.Files.Content(ctx, fileID)
	must(err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	must(err)
	return string(text)
}

func readBatchResults(ctx context.Context, client openai.Client, fileID string) map[string]resultLine {
	found := map[string]resultLine{}
	for text := range strings.Lines(readContent(ctx, client, fileID)) {
		var line resultLine
		must(json.Unmarshal([]byte(text), &line))
		_, isTwice := found[line.CustomID]
		expect(!isTwice, "%s is there twice", line.CustomID)
		found[line.CustomID] = line
	}
	return found
}

// listBatches has files, uploads and batches.
func listBatches(open opener, withWrongKey option.RequestOption) []check {
	client := open()
	return []check{
		{"files: content, and none after deletion", func(ctx context.Context) {
			text := writeLine("a", "relay-chat", question)
			id := upload(ctx, client, text)
			expectEqual(readContent(ctx, client, id), text)
			deleted, err := client.Files.Delete(ctx, id)
			must(err)
			expectEqual(deleted.Deleted, true)
			_, err = client.Files.Get(ctx, id)
			expectEqual(asRefusal(err).StatusCode, 404)
			_, err = client.Files.Content(ctx, id)
			expectEqual(asRefusal(err).StatusCode, 404)
		}},
		{"files: listed page by page", func(ctx context.Context) {
			var ids []string
			for range 5 {
				ids = append(ids, upload(ctx, client, writeLine("a", "relay-chat", "hi")))
			}
			slices.Reverse(ids)
			query := openai.FileListParams{Purpose: openai.String("batch"), Limit: openai.Int(2)}
			files := client.Files.ListAutoPaging(ctx, query)
			var found []string
			for files.Next() {
				found = append(found, files.Current().ID)
			}
			must(files.Err())
			expectEqual(found[:5], ids)
		}},
		{"files: an upload in parts", func(ctx context.Context) {
			pieces := []string{writeLine("a", "relay-chat", "hi"), writeLine("b", "relay-chat", "hi")}
			text := strings.Join(pieces, "")
			made, err := client.Uploads.New(ctx, openai.UploadNewParams{
				Bytes: int64(len(text)), Filename: "parts.jsonl", MimeType: "application/jsonl", Purpose: openai.FilePurposeBatch,
			})
			must(err)
			var parts []string
			for _, piece := range pieces {
				part, err := client.Uploads.Parts.New(ctx, made.ID, openai.UploadPartNewParams{Data: strings.NewReader(piece)})
				must(err)
				parts = append(parts, part.ID)
			}
			done, err := client.Uploads.Complete(ctx, made.ID, openai.UploadCompleteParams{PartIDs: parts})
			must(err)
			expectEqual(string(done.Status), "completed")
			expectEqual(readContent(ctx, client, done.File.ID), text)
		}},
		{"batches: from upload to result", func(ctx context.Context) {
			mark := newMark()
			var lines []string
			for number := range 20 {
				lines = append(lines, writeLine(fmt.Sprintf("task-%d", number), "relay-chat", mark))
			}
			ended := waitFor(ctx, client, submit(ctx, client, lines...), openai.BatchStatusCompleted)
			counts := ended.RequestCounts
			expectEqual([]int64{counts.Total, counts.Completed, counts.Failed}, []int64{20, 20, 0})
			found := readBatchResults(ctx, client, ended.OutputFileID)
			expectEqual(len(found), 20)
			for _, line := range found {
				expectEqual(line.Response.Body.Choices[0].Message.Content, "Echo: "+mark)
			}
			expectEqual(len(listSeen(mark)), 20)
		}},
		{"batches: a line that fails is in the error file", func(ctx context.Context) {
			ended := waitFor(ctx, client, submit(ctx, client, writeLine("a", "relay-refusing", "hi")), openai.BatchStatusCompleted)
			expectEqual(readBatchResults(ctx, client, ended.ErrorFileID)["a"].Response.StatusCode, 400)
		}},
		{"batches: listed page by page", func(ctx context.Context) {
			fileID := upload(ctx, client, writeLine("a", "relay-chat", "hi"))
			var ids []string
			for range 3 {
				batch, err := client.Batches.New(ctx, askForBatch(fileID))
				must(err)
				ids = append(ids, batch.ID)
			}
			slices.Reverse(ids)
			batches := client.Batches.ListAutoPaging(ctx, openai.BatchListParams{Limit: openai.Int(2)})
			var found []string
			for batches.Next() {
				found = append(found, batches.Current().ID)
			}
			must(batches.Err())
			expectEqual(found[:3], ids)
		}},
		{"batches: cancelled", func(ctx context.Context) {
			batch := waitFor(ctx, client, submit(ctx, client, writeLine("a", "relay-paused", "hi")), openai.BatchStatusInProgress)
			cancelled, err := client.Batches.Cancel(ctx, batch.ID)
			must(err)
			expect(cancelled.CancellingAt > 0, "it is not being cancelled: %s", cancelled.RawJSON())
			expectEqual(waitFor(ctx, client, cancelled, openai.BatchStatusCancelled).RequestCounts.Completed, int64(0))
		}},
		{"batches: what is wrong with an input is told by its line", func(ctx context.Context) {
			lines := []string{writeLine("a", "relay-chat", "hi"), "{\n", writeLine("a", "relay-chat", "hi")}
			failed := waitFor(ctx, client, submit(ctx, client, lines...), openai.BatchStatusFailed)
			var found []any
			for _, problem := range failed.Errors.Data {
				found = append(found, problem.Code, problem.Line)
			}
			expectEqual(found, []any{"invalid_json_line", int64(2), "duplicate_custom_id", int64(3)})
		}},
		{"batches: a file that is not there", func(ctx context.Context) {
			_, err := client.Batches.New(ctx, askForBatch("file-nothing-like-it"))
			refused := asRefusal(err)
			expectEqual(refused.StatusCode, 400)
			expect(strings.Contains(refused.Message, "input_file_id"), "got %q", refused.Message)
		}},
		{"files and batches: a wrong key", func(ctx context.Context) {
			wrong := open(withWrongKey)
			file := openai.File(strings.NewReader("{}"), "a.jsonl", "application/jsonl")
			_, err := wrong.Files.New(ctx, openai.FileNewParams{File: file, Purpose: openai.FilePurposeBatch})
			expectEqual(asRefusal(err).StatusCode, 401)
			_, err = wrong.Batches.List(ctx, openai.BatchListParams{})
			expectEqual(asRefusal(err).StatusCode, 401)
		}},
	}
}
