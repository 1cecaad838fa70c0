package main

import (
	"context"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/responses"
	"github.com/openai/openai-go/v3/shared"
)

// responders are deployments whose upstreams know chats, messages and responses.
var responders = []string{"Relay-Chat", "relay-azure", "relay-anthropic", "relay-responses"}

func askResponse(model, text string) responses.ResponseNewParams {
	input := responses.ResponseNewParamsInputUnion{OfString: openai.String(text)}
	return responses.ResponseNewParams{Model: shared.ResponsesModel(model), Input: input}
}

// streamResponse reads a stream to its end: its text, its last response, and how it ended.
func streamResponse(
	ctx context.Context, client openai.Client, params responses.ResponseNewParams,
) (string, responses.Response, error) {
	events := client.Responses.NewStreaming(ctx, params)
	defer events.Close()
	text := ""
	var last responses.Response
	for events.Next() {
		switch event := events.Current().AsAny().(type) {
		case responses.ResponseTextDeltaEvent:
			text += event.Delta
		case responses.ResponseCompletedEvent:
			last = event.Response
		case responses.ResponseIncompleteEvent:
			last = event.Response
		}
	}
	return text, last, events.Err()
}

var weatherFunction = responses.ToolUnionParam{OfFunction: &responses.FunctionToolParam{
	Name:       "get_weather",
	Strict:     openai.Bool(false),
	Parameters: map[string]any{"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}}},
}}

// listResponses has what both ways of addressing can do with the Responses API, where nothing is kept.
func listResponses(open opener) []check {
	client := open()
	var checks []check
	for _, model := range responders {
		checks = append(checks,
			check{"responses: whole, " + model, func(ctx context.Context) {
				answer, err := client.Responses.New(ctx, askResponse(model, question))
				must(err)
				expectEqual(answer.OutputText(), "Echo: "+question)
				expectEqual(answer.Usage.TotalTokens, int64(12))
			}},
			check{"responses: stream, " + model, func(ctx context.Context) {
				text, last, err := streamResponse(ctx, client, askResponse(model, question))
				must(err)
				expectEqual(text, "Echo: "+question)
				expectEqual(last.OutputText(), text)
				expectEqual(last.Usage.TotalTokens, int64(12))
			}},
		)
	}
	return append(checks,
		check{"responses: functions", func(ctx context.Context) {
			for _, model := range []string{"relay-tools", "relay-responses"} {
				params := askResponse(model, "Weather in Paris?")
				params.Tools = []responses.ToolUnionParam{weatherFunction}
				first, err := client.Responses.New(ctx, params)
				must(err)
				call := first.Output[0].AsFunctionCall()
				expectEqual(call.Arguments, `{"city":"Paris"}`)
				result := responses.ResponseInputItemParamOfFunctionCallOutput("sunny")
				result.OfFunctionCallOutput.CallID = openai.String(call.CallID)
				params.Input = responses.ResponseNewParamsInputUnion{OfInputItemList: responses.ResponseInputParam{
					responses.ResponseInputItemParamOfMessage("Weather in Paris?", responses.EasyInputMessageRoleUser),
					responses.ResponseInputItemParamOfFunctionCall(call.Arguments, call.CallID, call.Name),
					result,
				}}
				second, err := client.Responses.New(ctx, params)
				must(err)
				expectEqual(second.OutputText(), "Echo: sunny")
			}
		}},
		check{"responses: what only a server that keeps can do is refused", func(ctx context.Context) {
			params := askResponse("relay-chat", question)
			params.PreviousResponseID = openai.String("resp_1")
			_, err := client.Responses.New(ctx, params)
			refusal := asRefusal(err)
			expectEqual(refusal.StatusCode, 400)
			expectEqual(refusal.Param, "previous_response_id")
		}},
		check{"responses: a stream that is cut off is an error", func(ctx context.Context) {
			_, _, err := streamResponse(ctx, client, askResponse("relay-cut", newMark()))
			expect(err != nil, "the stream ended without an error")
		}},
		check{"responses: the built-in model, whole and streamed the same", func(ctx context.Context) {
			params := askResponse("mistral-large", "Hello!")
			params.MaxOutputTokens = openai.Int(16)
			params.Temperature = openai.Float(0)
			whole, err := client.Responses.New(ctx, params)
			must(err)
			text, _, err := streamResponse(ctx, client, params)
			must(err)
			expect(strings.TrimSpace(text) != "", "there is no text")
			expectEqual(text, whole.OutputText())
		}},
	)
}
