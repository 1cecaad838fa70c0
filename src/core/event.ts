import type { Rest } from './call.ts'
import type { Explanation, FilterOffsets, FilterResults } from './filter/results.ts'
import type { Usage } from './usage/usage.ts'

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'function_call'

export type TokenLogprob = {
  readonly token: string
  readonly logprob: number
  readonly bytes: readonly number[] | null
  readonly top: readonly {
    readonly token: string
    readonly logprob: number
    readonly bytes: readonly number[] | null
  }[]
}

/** What a content filter says of the choice so far. The same object as long as it says the same. */
type Filtered = { readonly filter?: FilterResults | undefined }

/**
 * One item of a canonical answer stream. `choice` is the index among the n answers.
 * Order: one `answer-start`, then deltas, then one `choice-end` per choice, then at most one `usage`.
 */
export type Event =
  | {
      readonly type: 'answer-start'
      /** Id, model and creation time (unix seconds) as the serving model reports them, if it does. */
      readonly id?: string | undefined
      readonly model?: string | undefined
      readonly created?: number | undefined
      readonly systemFingerprint?: string | undefined
      /** Unknown fields beside them, which the whole stream carries. */
      readonly rest?: Rest | undefined
    }
  /** What a content filter says of the prompt: comes before everything else. */
  | {
      readonly type: 'prompt-filter'
      readonly results: FilterResults
      readonly explanations?: readonly Explanation[] | undefined
    }
  /** What it says of an answer that has gone out already: only where filters run beside the stream. */
  | {
      readonly type: 'choice-filter'
      readonly choice: number
      readonly results: FilterResults
      readonly offsets: FilterOffsets
      /** Leave the `delta` out, as Azure does. */
      readonly isStrict: boolean
    }
  /** Unknown fields of the answer that came without any text, such as annotations of the prompt. */
  | { readonly type: 'answer-rest'; readonly rest: Rest }
  /** Unknown fields of a choice's message. `isWhole`: no later event goes on with one of their texts. */
  | {
      readonly type: 'message-rest'
      readonly choice: number
      readonly rest: Rest
      readonly isWhole?: boolean | undefined
    }
  | {
      readonly type: 'text-delta'
      readonly choice: number
      readonly text: string
      readonly logprobs?: readonly TokenLogprob[] | undefined
      readonly rest?: Rest | undefined
      readonly filter?: FilterResults | undefined
    }
  | ({ readonly type: 'reasoning-delta'; readonly choice: number; readonly text: string } & Filtered)
  | ({ readonly type: 'refusal-delta'; readonly choice: number; readonly text: string } & Filtered)
  | {
      readonly type: 'tool-call-start'
      readonly choice: number
      readonly index: number
      readonly id: string
      readonly name: string
    }
  | ({
      readonly type: 'tool-call-delta'
      readonly choice: number
      readonly index: number
      readonly arguments: string
    } & Filtered)
  | {
      readonly type: 'choice-end'
      readonly choice: number
      readonly reason: FinishReason
      readonly rest?: Rest | undefined
      readonly filter?: FilterResults | undefined
      readonly explanations?: readonly Explanation[] | undefined
    }
  | { readonly type: 'usage'; readonly usage: Usage }
