package main

import (
	"context"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

func ask(model, text string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{
		Model:    model,
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(text)},
	}
}

// complete gives the text of a whole answer.
func complete(
	ctx context.Context, client openai.Client, params openai.ChatCompletionNewParams, options ...option.RequestOption,
) string {
	answer, err := client.Chat.Completions.New(ctx, params, options...)
	must(err)
	return answer.Choices[0].Message.Content
}

// stream reads a stream to its end: the accumulated answer, the number of pieces with text, and how it ended.
func stream(
	ctx context.Context, client openai.Client, params openai.ChatCompletionNewParams,
) (openai.ChatCompletionAccumulator, int, error) {
	chunks := client.Chat.Completions.NewStreaming(ctx, params)
	defer chunks.Close()
	answer := openai.ChatCompletionAccumulator{}
	pieces := 0
	for chunks.Next() {
		chunk := chunks.Current()
		expect(answer.AddChunk(chunk), "the accumulator refused %s", chunk.RawJSON())
		if len(chunk.Choices) > 0 && chunk.Choices[0].Delta.Content != "" {
			pieces++
		}
	}
	return answer, pieces, chunks.Err()
}

// modelNames are deployments of each kind of upstream that answers well, in any case.
var modelNames = []string{"Relay-Chat", "RELAY-CHAT", "relay-azure", "Relay-Foundry", "relay-untidy"}

func listChat(open opener) []check {
	client := open()
	var checks []check
	for _, model := range modelNames {
		checks = append(checks,
			check{"chat whole, " + model, func(ctx context.Context) { checkWhole(ctx, client, model) }},
			check{"chat stream, " + model, func(ctx context.Context) { checkStream(ctx, client, model) }},
		)
	}
	return append(checks,
		check{"a stream is passed on while the upstream still writes", func(ctx context.Context) {
			mark := newMark()
			chunks := client.Chat.Completions.NewStreaming(ctx, ask("relay-gated", mark))
			defer chunks.Close()
			text := ""
			for chunks.Next() {
				if choices := chunks.Current().Choices; len(choices) > 0 {
					text += choices[0].Delta.Content
				}
				if text != "" {
					release(mark)
				}
			}
			must(chunks.Err())
			expectEqual(text, "Echo: "+mark)
		}},
		check{"fields that the server does not know reach the upstream", func(ctx context.Context) {
			mark := newMark()
			complete(ctx, client, ask("relay-chat", mark), option.WithJSONSet("vendor_field", map[string]any{"deep": []int{1}}))
			expectEqual(listSeen(mark)[0].Body["vendor_field"], map[string]any{"deep": []any{1.0}})
		}},
	)
}

func checkWhole(ctx context.Context, client openai.Client, model string) {
	answer, err := client.Chat.Completions.New(ctx, ask(model, question))
	must(err)
	expectEqual(answer.Choices[0].Message.Content, "Echo: "+question)
	expectEqual(answer.Choices[0].FinishReason, "stop")
	expectEqual(answer.Model, "served-2024-08-06")
	expectEqual(answer.Usage.TotalTokens, int64(12))
}

func checkStream(ctx context.Context, client openai.Client, model string) {
	params := ask(model, question)
	params.StreamOptions.IncludeUsage = openai.Bool(true)
	answer, pieces, err := stream(ctx, client, params)
	must(err)
	expectEqual(answer.Choices[0].Message.Content, "Echo: "+question)
	expectEqual(answer.Choices[0].FinishReason, "stop")
	expectEqual(answer.Usage.TotalTokens, int64(12))
	expect(pieces > 1, "the text came in %d pieces", pieces)
}
