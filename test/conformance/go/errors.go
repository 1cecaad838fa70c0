package main

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/ssestream"
)

// refusal gives the client's own error for what the server refuses.
func refusal(
	ctx context.Context, client openai.Client, params openai.ChatCompletionNewParams, options ...option.RequestOption,
) *openai.Error {
	_, err := client.Chat.Completions.New(ctx, params, options...)
	return asRefusal(err)
}

func asRefusal(err error) *openai.Error {
	var refused *openai.Error
	expect(errors.As(err, &refused), "got %T: %v", err, err)
	return refused
}

// listErrors has what is refused because of the request itself.
func listErrors(open opener, withWrongKey option.RequestOption) []check {
	client := open()
	checks := []check{
		{"wrong key", func(ctx context.Context) {
			refused := refusal(ctx, open(withWrongKey), ask("relay-chat", "hi"))
			expectEqual([]any{refused.StatusCode, refused.Code}, []any{401, "401"})
		}},
		{"unknown deployment, with the nearest name", func(ctx context.Context) {
			refused := refusal(ctx, client, ask("relay-chatt", "hi"))
			expectEqual([]any{refused.StatusCode, refused.Code}, []any{404, "DeploymentNotFound"})
			expect(strings.Contains(refused.Message, "'Relay-Chat'"), "got %q", refused.Message)
		}},
		{"unknown deployment, streamed", func(ctx context.Context) {
			_, _, err := stream(ctx, client, ask("relay-chatt", "hi"))
			expectEqual(asRefusal(err).Code, "DeploymentNotFound")
		}},
		{"the upstream's refusal of a request keeps its code", func(ctx context.Context) {
			refused := refusal(ctx, client, ask("relay-refusing", "hi"))
			got := []any{refused.StatusCode, refused.Code, refused.Param}
			expectEqual(got, []any{400, "context_length_exceeded", "messages"})
		}},
	}
	for _, bad := range []struct {
		param string
		key   string
		value any
	}{
		{"temperature", "temperature", "hot"},
		{"n", "n", 0},
		{"messages[0].role", "messages.0.role", "robot"},
		{"messages", "messages", []any{}},
	} {
		checks = append(checks, check{"bad field " + bad.param, func(ctx context.Context) {
			refused := refusal(ctx, client, ask("relay-chat", "hi"), option.WithJSONSet(bad.key, bad.value))
			got := []any{refused.StatusCode, refused.Param, refused.Type}
			expectEqual(got, []any{400, bad.param, "invalid_request_error"})
		}})
	}
	return checks
}

// listFaultyUpstreams has what goes wrong behind the server, and what the client does about it.
func listFaultyUpstreams(open opener) []check {
	client := open()
	once := option.WithMaxRetries(0)
	var checks []check
	for _, model := range []string{"relay-failing", "relay-cut"} {
		checks = append(checks, check{"an upstream that breaks down once, " + model, func(ctx context.Context) {
			mark := newMark()
			expectEqual(refusal(ctx, client, ask(model, mark), once).StatusCode, 502)
			expectEqual(complete(ctx, client, ask(model, mark), once), "Echo: "+mark)
		}})
	}
	return append(checks,
		check{"a failure is tried again by the client", func(ctx context.Context) {
			mark := newMark()
			expectEqual(complete(ctx, client, ask("relay-failing", mark)), "Echo: "+mark)
			expectEqual(len(listSeen(mark)), 2)
		}},
		check{"429 says when to come back", func(ctx context.Context) {
			refused := refusal(ctx, client, ask("relay-limited", newMark()), once)
			headers := refused.Response.Header
			got := []any{refused.StatusCode, headers.Get("Retry-After"), headers.Get("Retry-After-Ms")}
			expectEqual(got, []any{429, "2", strconv.FormatInt(retryAfter.Milliseconds(), 10)})
		}},
		check{"429 is waited for by the client, whole and streamed", func(ctx context.Context) {
			for _, isStream := range []bool{false, true} {
				mark := newMark()
				text := ""
				if isStream {
					answer, _, err := stream(ctx, client, ask("relay-limited", mark))
					must(err)
					text = answer.Choices[0].Message.Content
				} else {
					text = complete(ctx, client, ask("relay-limited", mark))
				}
				expectEqual(text, "Echo: "+mark)
				seen := listSeen(mark)
				expectEqual(len(seen), 2)
				waitedMs := seen[1].ReceivedAtMs - seen[0].ReceivedAtMs
				expect(waitedMs >= retryAfter.Milliseconds(), "it waited %d ms", waitedMs)
			}
		}},
		check{"a stream that is cut off after its first part", func(ctx context.Context) {
			answer, _, err := stream(ctx, client, ask("Relay-Cut", newMark()))
			expectEqual(answer.Choices[0].Message.Content, "Echo:")
			var broken *ssestream.StreamError
			expect(errors.As(err, &broken), "got %T: %v", err, err)
			expect(strings.Contains(broken.Message, "BadGateway"), "got %q", broken.Message)
		}},
	)
}
