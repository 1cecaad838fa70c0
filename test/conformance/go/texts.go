package main

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"

	"github.com/openai/openai-go/v3"
)

func prompt(model, text string) openai.CompletionNewParams {
	return openai.CompletionNewParams{
		Model:  openai.CompletionNewParamsModel(model),
		Prompt: openai.CompletionNewParamsPromptUnion{OfString: openai.String(text)},
	}
}

func embed(model string, texts ...string) openai.EmbeddingNewParams {
	return openai.EmbeddingNewParams{Model: model, Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: texts}}
}

func listVectors(answer *openai.CreateEmbeddingResponse) [][]float64 {
	var vectors [][]float64
	for _, item := range answer.Data {
		vectors = append(vectors, item.Embedding)
	}
	return vectors
}

// listTexts has the completions of prompts and the embeddings.
func listTexts(open opener) []check {
	client := open()
	checks := []check{
		{"completions whole", func(ctx context.Context) {
			answer, err := client.Completions.New(ctx, prompt("RELAY-CHAT", question))
			must(err)
			expectEqual(answer.Choices[0].Text, "Echo: "+question)
			expectEqual(answer.Usage.TotalTokens, int64(12))
		}},
		{"completions streamed", func(ctx context.Context) {
			chunks := client.Completions.NewStreaming(ctx, prompt("relay-chat", question))
			defer chunks.Close()
			text := ""
			for chunks.Next() {
				for _, choice := range chunks.Current().Choices {
					text += choice.Text
				}
			}
			must(chunks.Err())
			expectEqual(text, "Echo: "+question)
		}},
	}
	for _, model := range []string{"relay-chat", "RELAY-FLOATS", "relay-foundry"} {
		checks = append(checks,
			check{"embeddings, " + model, func(ctx context.Context) {
				answer, err := client.Embeddings.New(ctx, embed(model, "one", "three"))
				must(err)
				expectEqual(listVectors(answer), vectors)
				expectEqual(answer.Usage.PromptTokens, int64(7))
			}},
			check{"embeddings in base64, " + model, func(ctx context.Context) { checkPacked(ctx, client, model) }},
		)
	}
	return checks
}

// checkPacked decodes the answer itself: the client has no type for a packed vector and leaves it in its raw JSON.
func checkPacked(ctx context.Context, client openai.Client, model string) {
	params := embed(model, "one")
	params.EncodingFormat = openai.EmbeddingNewParamsEncodingFormatBase64
	answer, err := client.Embeddings.New(ctx, params)
	must(err)
	var packed string
	must(json.Unmarshal([]byte(answer.Data[0].JSON.Embedding.Raw()), &packed))
	bytes, err := base64.StdEncoding.DecodeString(packed)
	must(err)
	var vector []float64
	for ; len(bytes) > 0; bytes = bytes[4:] {
		vector = append(vector, float64(math.Float32frombits(binary.LittleEndian.Uint32(bytes))))
	}
	expectEqual(vector, vectors[0])
}
