package main

import (
	"context"
	"errors"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/ai/azopenai"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/azure"
)

// keyAsToken is a credential whose token is the key, so that the client sends it as Bearer.
type keyAsToken struct{}

func (keyAsToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: key, ExpiresOn: time.Now().Add(time.Hour)}, nil
}

func listAzureOnly() []check {
	return []check{
		{"a token credential sends the key as Bearer", func(ctx context.Context) {
			endpoint := azure.WithEndpoint(rootURL, "2025-01-01-preview")
			client := openai.NewClient(endpoint, azure.WithTokenCredential(keyAsToken{}))
			expectEqual(complete(ctx, client, ask("relay-chat", "hi")), "Echo: hi")
		}},
		{"an endpoint with a slash at its end", func(ctx context.Context) {
			client := openai.NewClient(azure.WithEndpoint(rootURL+"/", apiVersion), azure.WithAPIKey(key))
			expectEqual(complete(ctx, client, ask("relay-chat", "hi")), "Echo: hi")
		}},
		{"the base models are listed", func(ctx context.Context) {
			client := openAzure()
			expect(hasModel(ctx, client, "gpt-4o-2024-08-06"), "no gpt-4o-2024-08-06 among the models")
		}},
	}
}

func listV1Only() []check {
	client := openV1()
	return []check{
		{"deployments are listed and found in any case", func(ctx context.Context) {
			for _, name := range []string{"Relay-Chat", "Mistral-large"} {
				expect(hasModel(ctx, client, name), "no %s among the models", name)
			}
			model, err := client.Models.Get(ctx, "mistral-LARGE")
			must(err)
			expectEqual(model.ID, "Mistral-large")
			_, err = client.Models.Get(ctx, "nothing-like-it")
			expectEqual(asRefusal(err).StatusCode, 404)
		}},
	}
}

func hasModel(ctx context.Context, client openai.Client, id string) bool {
	models := client.Models.ListAutoPaging(ctx)
	for models.Next() {
		if models.Current().ID == id {
			return true
		}
	}
	must(models.Err())
	return false
}

// listHelpers has what azopenai adds to openai-go that does not need a filter of the server's own.
func listHelpers() []check {
	client := openAzure()
	return []check{
		{"a prompt that the upstream's filter refused", func(ctx context.Context) {
			_, err := client.Chat.Completions.New(ctx, ask("relay-filtering", "hi"))
			var filtered *azopenai.ContentFilterError
			expect(azopenai.ExtractContentFilterError(err, &filtered), "not a content filter's error: %v", err)
			expect(filtered.Violence != nil && filtered.Violence.Filtered != nil, "no result for violence")
			expectEqual(*filtered.Violence.Filtered, true)
			expectEqual(*filtered.Violence.Severity, azopenai.ContentFilterSeverityMedium)
			expectEqual(*filtered.Hate.Filtered, false)
			var refused *openai.Error
			expect(errors.As(filtered, &refused), "it does not hold the client's own error")
		}},
		{"another refusal is not taken for one of a filter", func(ctx context.Context) {
			_, err := client.Chat.Completions.New(ctx, ask("relay-refusing", "hi"))
			var filtered *azopenai.ContentFilterError
			expect(!azopenai.ExtractContentFilterError(err, &filtered), "got %v", filtered)
		}},
		{"the typed readers find nothing to object to where nothing was filtered", func(ctx context.Context) {
			answer, err := client.Chat.Completions.New(ctx, ask("relay-chat", "hi"))
			must(err)
			_, err = azopenai.ChatCompletion(*answer).PromptFilterResults()
			must(err)
			_, err = azopenai.ChatCompletionChoice(answer.Choices[0]).ContentFilterResults()
			must(err)
		}},
		{"the typed readers of a stream", func(ctx context.Context) {
			chunks := client.Chat.Completions.NewStreaming(ctx, ask("relay-chat", "hi"))
			defer chunks.Close()
			count := 0
			for ; chunks.Next(); count++ {
				_, err := azopenai.ChatCompletionChunk(chunks.Current()).PromptFilterResults()
				must(err)
			}
			must(chunks.Err())
			expect(count > 1, "the stream had %d chunks", count)
		}},
	}
}
