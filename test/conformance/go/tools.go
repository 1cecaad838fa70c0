package main

import (
	"context"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/shared"
)

func listTools(open opener) []check {
	client := open()
	params := ask("Relay-Tools", "Weather in Paris?")
	params.Tools = []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{
		Name: "get_weather",
		Parameters: shared.FunctionParameters{
			"type":       "object",
			"properties": map[string]any{"city": map[string]any{"type": "string"}},
			"required":   []string{"city"},
		},
	})}
	return []check{
		{"tools whole, with the result handed back", func(ctx context.Context) {
			answer, err := client.Chat.Completions.New(ctx, params)
			must(err)
			expectEqual(answer.Choices[0].FinishReason, "tool_calls")
			message := answer.Choices[0].Message
			checkCall(message)
			next := params
			result := openai.ToolMessage("sunny", message.ToolCalls[0].ID)
			next.Messages = append(params.Messages[:1:1], message.ToParam(), result)
			expectEqual(complete(ctx, client, next), "Echo: sunny")
		}},
		{"tools streamed into the accumulator", func(ctx context.Context) {
			answer, _, err := stream(ctx, client, params)
			must(err)
			expectEqual(answer.Choices[0].FinishReason, "tool_calls")
			checkCall(answer.Choices[0].Message)
		}},
	}
}

func checkCall(message openai.ChatCompletionMessage) {
	expectEqual(len(message.ToolCalls), 1)
	call := message.ToolCalls[0]
	got := []string{call.ID, call.Function.Name, call.Function.Arguments}
	expectEqual(got, []string{"call_1", "get_weather", `{"city":"Paris"}`})
}
