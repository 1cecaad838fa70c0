package main

import (
	"context"
	"slices"

	"github.com/openai/openai-go/v3"
)

func askToStore(model, mark string) openai.ChatCompletionNewParams {
	params := ask(model, question)
	params.MaxTokens = openai.Int(8)
	params.Store = openai.Bool(true)
	params.Metadata = map[string]string{"mark": mark}
	return params
}

func store(ctx context.Context, client openai.Client, model, mark string) *openai.ChatCompletion {
	answer, err := client.Chat.Completions.New(ctx, askToStore(model, mark))
	must(err)
	return answer
}

// listStored has what both ways of addressing can do with stored chats.
func listStored(open opener) []check {
	client := open()
	return []check{
		{"stored: an answer is found", func(ctx context.Context) {
			answer := store(ctx, client, "mistral-large", newMark())
			found, err := client.Chat.Completions.Get(ctx, answer.ID)
			must(err)
			expectEqual(found.Choices[0].Message.Content, answer.Choices[0].Message.Content)
			expectEqual(found.Usage.TotalTokens, answer.Usage.TotalTokens)
		}},
		{"stored: a stream is found as one answer", func(ctx context.Context) {
			answer, _, err := stream(ctx, client, askToStore("mistral-large", newMark()))
			must(err)
			found, err := client.Chat.Completions.Get(ctx, answer.ID)
			must(err)
			expectEqual(found.Choices[0].Message.Content, answer.Choices[0].Message.Content)
		}},
		{"stored: metadata is replaced", func(ctx context.Context) {
			id := store(ctx, client, "mistral-large", newMark()).ID
			update := openai.ChatCompletionUpdateParams{Metadata: map[string]string{"new": "value"}}
			changed, err := client.Chat.Completions.Update(ctx, id, update)
			must(err)
			expectEqual(changed.JSON.ExtraFields["input_user"].Raw(), "null")
			expectEqual(changed.ID, id)
		}},
		{"stored: messages, page by page", func(ctx context.Context) {
			params := askToStore("mistral-large", newMark())
			params.Messages = append(params.Messages, openai.SystemMessage("Be brief."))
			answer, err := client.Chat.Completions.New(ctx, params)
			must(err)
			query := openai.ChatCompletionMessageListParams{Limit: openai.Int(1)}
			messages := client.Chat.Completions.Messages.ListAutoPaging(ctx, answer.ID, query)
			var texts []string
			for messages.Next() {
				texts = append(texts, messages.Current().Content)
			}
			must(messages.Err())
			expectEqual(texts, []string{question, "Be brief."})
		}},
		{"stored: what was deleted is not found", func(ctx context.Context) {
			id := store(ctx, client, "mistral-large", newMark()).ID
			deleted, err := client.Chat.Completions.Delete(ctx, id)
			must(err)
			expectEqual(deleted.Deleted, true)
			_, err = client.Chat.Completions.Get(ctx, id)
			expectEqual(asRefusal(err).StatusCode, 404)
		}},
	}
}

// listStoredPages has what the client can do with /openai/v1 only: its Azure addressing looks for a model in the body of every
// request to /chat/completions, and a list has no body.
func listStoredPages() []check {
	client := openV1()
	listIDs := func(ctx context.Context, mark string, order openai.ChatCompletionListParamsOrder) []string {
		query := openai.ChatCompletionListParams{Metadata: map[string]string{"mark": mark}, Order: order, Limit: openai.Int(2)}
		items := client.Chat.Completions.ListAutoPaging(ctx, query)
		var ids []string
		for items.Next() {
			ids = append(ids, items.Current().ID)
		}
		must(items.Err())
		return ids
	}
	return []check{
		{"stored: pages, forwards and backwards", func(ctx context.Context) {
			mark := newMark()
			var ids []string
			for range 5 {
				ids = append(ids, store(ctx, client, "mistral-large", mark).ID)
			}
			expectEqual(listIDs(ctx, mark, openai.ChatCompletionListParamsOrderAsc), ids)
			slices.Reverse(ids)
			expectEqual(listIDs(ctx, mark, openai.ChatCompletionListParamsOrderDesc), ids)
		}},
		{"stored: a relayed answer is found by its metadata", func(ctx context.Context) {
			mark := newMark()
			store(ctx, client, "relay-chat", mark)
			query := openai.ChatCompletionListParams{Metadata: map[string]string{"mark": mark}}
			page, err := client.Chat.Completions.List(ctx, query)
			must(err)
			expectEqual(len(page.Data), 1)
			expectEqual(page.Data[0].Choices[0].Message.Content, "Echo: "+question)
		}},
	}
}
