package main

import (
	"context"

	"github.com/openai/openai-go/v3"
)

const riemann = "Explain Riemann's conjecture in 1 paragraph"

func listBuiltIn(open opener) []check {
	client := open()
	var checks []check
	for _, model := range []string{"Mistral-large", "MISTRAL-LARGE"} {
		checks = append(checks, check{"built-in model, " + model, func(ctx context.Context) {
			params := ask(model, riemann)
			params.MaxTokens = openai.Int(200)
			answer, err := client.Chat.Completions.New(ctx, params)
			must(err)
			expect(len(answer.Choices[0].Message.Content) > 20, "got %q", answer.Choices[0].Message.Content)
			expectEqual(answer.Usage.TotalTokens, answer.Usage.PromptTokens+answer.Usage.CompletionTokens)
		}})
	}
	return append(checks,
		check{"built-in model: a stream says the same as the whole answer", func(ctx context.Context) {
			params := ask("mistral-large", riemann)
			params.MaxTokens, params.Temperature, params.Seed = openai.Int(60), openai.Float(0), openai.Int(1)
			whole, err := client.Chat.Completions.New(ctx, params)
			must(err)
			params.StreamOptions.IncludeUsage = openai.Bool(true)
			streamed, pieces, err := stream(ctx, client, params)
			must(err)
			expectEqual(streamed.Choices[0].Message.Content, whole.Choices[0].Message.Content)
			expectEqual(streamed.Usage.TotalTokens, whole.Usage.TotalTokens)
			expect(pieces > 1, "the text came in %d pieces", pieces)
		}},
		check{"built-in model completes", func(ctx context.Context) {
			params := prompt("mistral-large", "Once upon a time")
			params.MaxTokens = openai.Int(8)
			answer, err := client.Completions.New(ctx, params)
			must(err)
			count := answer.Usage.CompletionTokens
			expect(count > 0 && count <= 8, "%d tokens", count)
		}},
		check{"built-in model embeds", func(ctx context.Context) {
			answer, err := client.Embeddings.New(ctx, embed("mistral-large", "The cat sleeps.", "Taxes are due."))
			must(err)
			vectors := listVectors(answer)
			expectEqual(len(vectors[0]), len(vectors[1]))
			expect(vectors[0][0] != vectors[1][0], "two texts have the same first number %v", vectors[0][0])
		}},
	)
}
