package main

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/ai/azopenai"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

// Words that filters of the server look for: in prompts alone, in answers alone, and without any list.
var (
	askedTerm = os.Getenv("CONFORMANCE_ASKED_TERM")
	saidTerm  = os.Getenv("CONFORMANCE_SAID_TERM")
	threat    = os.Getenv("CONFORMANCE_THREAT")
)

// listFilters has what openai-go alone tells of content filters.
func listFilters(open opener) []check {
	client := open()
	return []check{
		{"filters: a prompt is kept back", func(ctx context.Context) {
			mark := newMark()
			refused := refusal(ctx, client, ask("Filter-Blocking", mark+" "+askedTerm))
			got := []any{refused.StatusCode, refused.Code, refused.Param}
			expectEqual(got, []any{400, "content_filter", "prompt"})
			expectEqual(len(listSeen(mark)), 0)
		}},
		{"filters: a prompt is kept back, streamed", func(ctx context.Context) {
			_, _, err := stream(ctx, client, ask("filter-blocking", askedTerm))
			expectEqual(asRefusal(err).Code, "content_filter")
		}},
		{"filters: an answer is kept back", func(ctx context.Context) {
			answer, err := client.Chat.Completions.New(ctx, ask("filter-blocking", saidTerm))
			must(err)
			choice := answer.Choices[0]
			expectEqual([]string{choice.FinishReason, choice.Message.Content}, []string{"content_filter", ""})
		}},
		{"filters: a streamed answer is kept back", func(ctx context.Context) {
			answer, _, err := stream(ctx, client, ask("filter-blocking", "before "+saidTerm+" after"))
			must(err)
			choice := answer.Choices[0]
			got := []string{choice.FinishReason, choice.Message.Content}
			expectEqual(got, []string{"content_filter", "Echo: before "})
		}},
		{"filters: an answer that goes out at once", func(ctx context.Context) {
			answer, _, err := stream(ctx, client, ask("filter-asynchronous", "an ordinary text"))
			must(err)
			choice := answer.Choices[0]
			expectEqual([]string{choice.FinishReason, choice.Message.Content}, []string{"stop", "Echo: an ordinary text"})
		}},
		{"filters: annotations in the shape of Azure, which are of no answer to the accumulator", func(ctx context.Context) {
			chunks := client.Chat.Completions.NewStreaming(ctx, ask("filter-strict", "an ordinary text"))
			defer chunks.Close()
			answer := openai.ChatCompletionAccumulator{}
			text, refused := "", 0
			for chunks.Next() {
				chunk := chunks.Current()
				if !answer.AddChunk(chunk) {
					refused++
				}
				for _, choice := range chunk.Choices {
					text += choice.Delta.Content
				}
			}
			must(chunks.Err())
			expectEqual(text, "Echo: an ordinary text")
			expectEqual(refused, 1)
		}},
		{"filters: an answer that has gone out is stopped", func(ctx context.Context) {
			text := saidTerm + strings.Repeat(" and on", 400)
			answer, _, err := stream(ctx, client, ask("filter-asynchronous", text))
			must(err)
			choice := answer.Choices[0]
			expectEqual(choice.FinishReason, "content_filter")
			expect(len(choice.Message.Content) < len(saidTerm)+1000, "%d characters", len(choice.Message.Content))
		}},
		{"filters: the policy of one call", func(ctx context.Context) {
			expectEqual(complete(ctx, client, ask("filter-off", askedTerm)), "Echo: "+askedTerm)
			under := func(policy, text string) string {
				return refusal(ctx, client, ask("filter-off", text), option.WithHeader("x-policy-id", policy)).Code
			}
			expectEqual(under("blocking", askedTerm), "content_filter")
			expectEqual(under("nothing-like-it", "hi"), "InvalidContentFilterPolicy")
		}},
		{"filters: moderations without a deployment", func(ctx context.Context) {
			input := openai.ModerationNewParamsInputUnion{OfStringArray: []string{"What a lovely day.", threat}}
			answer, err := client.Moderations.New(ctx, openai.ModerationNewParams{Input: input})
			must(err)
			lovely, bad := answer.Results[0], answer.Results[1]
			expectEqual([]bool{lovely.Flagged, bad.Flagged, bad.Categories.Violence}, []bool{false, true, true})
		}},
	}
}

// listTypedFilters has what azopenai reads of refusals and annotations.
func listTypedFilters() []check {
	client := openAzure()
	return []check{
		{"a prompt that a list keeps back", func(ctx context.Context) {
			filtered := extractFiltered(ctx, client, ask("filter-blocking", askedTerm))
			lists := filtered.CustomBlocklists
			expect(lists != nil && *lists.Filtered && len(lists.Details) == 1, "no result for lists")
			expectEqual(*lists.Details[0].ID, "asked-terms")
			expectEqual(*lists.Details[0].Filtered, true)
			for _, harm := range []*azopenai.ContentFilterResult{
				filtered.Hate, filtered.SelfHarm, filtered.Sexual, filtered.Violence,
			} {
				expectHarm(harm, false, azopenai.ContentFilterSeveritySafe)
			}
			expectEqual(*filtered.Jailbreak.Detected, false)
			var refused *openai.Error
			expect(errors.As(filtered, &refused) && refused.StatusCode == 400, "it does not hold the client's own error")
		}},
		{"a threat that the default policy keeps back", func(ctx context.Context) {
			filtered := extractFiltered(ctx, client, ask("relay-chat", threat))
			expectHarm(filtered.Violence, true, azopenai.ContentFilterSeverityHigh)
			expectHarm(filtered.Hate, false, azopenai.ContentFilterSeveritySafe)
			expect(filtered.CustomBlocklists == nil, "a result for lists, of which the policy has none")
		}},
		{"a prompt that is kept back before a stream", func(ctx context.Context) {
			_, _, err := stream(ctx, client, ask("filter-blocking", askedTerm))
			var filtered *azopenai.ContentFilterError
			expect(azopenai.ExtractContentFilterError(err, &filtered), "not a content filter's error: %v", err)
		}},
		{"a prompt for completions that is kept back", func(ctx context.Context) {
			_, err := client.Completions.New(ctx, prompt("filter-blocking", askedTerm))
			var filtered *azopenai.ContentFilterError
			expect(azopenai.ExtractContentFilterError(err, &filtered), "not a content filter's error: %v", err)
			expectEqual(*filtered.CustomBlocklists.Filtered, true)
		}},
		{"typed annotations of prompt and answer", func(ctx context.Context) {
			answer, err := client.Chat.Completions.New(ctx, ask("filter-annotating", askedTerm+" "+saidTerm+" "+threat))
			must(err)
			prompts, err := azopenai.ChatCompletion(*answer).PromptFilterResults()
			must(err)
			expectEqual(len(prompts), 1)
			expectEqual(*prompts[0].PromptIndex, int32(0))
			asked := prompts[0].ContentFilterResults
			expectHarm(asked.Violence, false, azopenai.ContentFilterSeverityHigh)
			expectEqual(*asked.Jailbreak.Filtered, false)
			expectEqual(*asked.CustomBlocklists.Details[0].ID, "asked-terms")
			said, err := azopenai.ChatCompletionChoice(answer.Choices[0]).ContentFilterResults()
			must(err)
			expectHarm(said.Violence, false, azopenai.ContentFilterSeverityHigh)
			expectHarm(said.Sexual, false, azopenai.ContentFilterSeveritySafe)
			expectEqual(*said.ProtectedMaterialText.Detected, false)
			expectEqual(*said.ProtectedMaterialCode.Detected, false)
			expectEqual(*said.CustomBlocklists.Details[0].ID, "said-terms")
			expectEqual(*said.CustomBlocklists.Filtered, false)
		}},
		{"typed annotations of an answer that is kept back", func(ctx context.Context) {
			answer, err := client.Chat.Completions.New(ctx, ask("filter-answers", threat))
			must(err)
			expectEqual(answer.Choices[0].FinishReason, "content_filter")
			said, err := azopenai.ChatCompletionChoice(answer.Choices[0]).ContentFilterResults()
			must(err)
			expectHarm(said.Violence, true, azopenai.ContentFilterSeverityHigh)
		}},
		{"typed annotations of a stream", func(ctx context.Context) {
			chunks := client.Chat.Completions.NewStreaming(ctx, ask("filter-blocking", "before "+saidTerm))
			defer chunks.Close()
			var reasons []string
			var said *azopenai.ContentFilterResultsForChoice
			for count := 0; chunks.Next(); count++ {
				chunk := chunks.Current()
				prompts, err := azopenai.ChatCompletionChunk(chunk).PromptFilterResults()
				must(err)
				expectEqual(len(prompts) == 1, count == 0)
				for _, choice := range chunk.Choices {
					reasons = append(reasons, choice.FinishReason)
					said = readResults(choice)
				}
			}
			must(chunks.Err())
			expectEqual(reasons[len(reasons)-1], "content_filter")
			expect(!slices.Contains(reasons, "stop"), "it ended twice: %v", reasons)
			expectEqual(*said.CustomBlocklists.Filtered, true)
		}},
		{"typed annotations of completions", func(ctx context.Context) {
			answer, err := client.Completions.New(ctx, prompt("filter-annotating", saidTerm))
			must(err)
			prompts, err := azopenai.Completion(*answer).PromptFilterResults()
			must(err)
			expectHarm(prompts[0].ContentFilterResults.Hate, false, azopenai.ContentFilterSeveritySafe)
			said, err := azopenai.CompletionChoice(answer.Choices[0]).ContentFilterResults()
			must(err)
			expectEqual(*said.CustomBlocklists.Details[0].ID, "said-terms")
		}},
	}
}

func extractFiltered(
	ctx context.Context, client openai.Client, params openai.ChatCompletionNewParams,
) *azopenai.ContentFilterError {
	_, err := client.Chat.Completions.New(ctx, params)
	var filtered *azopenai.ContentFilterError
	expect(azopenai.ExtractContentFilterError(err, &filtered), "not a content filter's error: %v", err)
	return filtered
}

// readResults reads the annotations of a streamed choice as the client reads those of a whole one: it has no reader of its own.
func readResults(choice openai.ChatCompletionChunkChoice) *azopenai.ContentFilterResultsForChoice {
	results := &azopenai.ContentFilterResultsForChoice{}
	must(results.UnmarshalJSON([]byte(choice.JSON.ExtraFields["content_filter_results"].Raw())))
	return results
}

func expectHarm(result *azopenai.ContentFilterResult, filtered bool, severity azopenai.ContentFilterSeverity) {
	expect(result != nil && result.Filtered != nil && result.Severity != nil, "no result")
	expectEqual(*result.Filtered, filtered)
	expectEqual(*result.Severity, severity)
}
