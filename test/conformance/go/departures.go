package main

import (
	"context"
	"errors"
	"time"

	"github.com/openai/openai-go/v3/option"
)

// listDepartures has callers that go before their answer is whole: the upstream must be told.
func listDepartures(open opener) []check {
	client := open()
	return []check{
		{"closing a stream ends that of the upstream", func(ctx context.Context) {
			mark := newMark()
			chunks := client.Chat.Completions.NewStreaming(ctx, ask("relay-endless", mark))
			expect(chunks.Next(), "no first chunk: %v", chunks.Err())
			must(chunks.Close())
			expectEqual(listSeen(mark)[0].IsWhole, false)
		}},
		{"cancelling the context ends the stream of the upstream", func(ctx context.Context) {
			mark := newMark()
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			chunks := client.Chat.Completions.NewStreaming(ctx, ask("relay-endless", mark))
			defer chunks.Close()
			for chunks.Next() {
				cancel()
			}
			expect(errors.Is(chunks.Err(), context.Canceled), "got %v", chunks.Err())
			expectEqual(listSeen(mark)[0].IsWhole, false)
		}},
		{"a deadline before the first byte ends the request of the upstream", func(ctx context.Context) {
			mark := newMark()
			ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
			defer cancel()
			_, err := client.Chat.Completions.New(ctx, ask("relay-silent", mark), option.WithMaxRetries(0))
			expect(errors.Is(err, context.DeadlineExceeded), "got %v", err)
			expectEqual(listSeen(mark)[0].IsWhole, false)
		}},
	}
}
