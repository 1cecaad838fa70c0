import type { Rest } from './call.ts'
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
  /** Unknown fields of the answer that came without any text, such as annotations of the prompt. */
  | { readonly type: 'answer-rest'; readonly rest: Rest }
  /** Unknown fields of a choice's message. */
  | { readonly type: 'message-rest'; readonly choice: number; readonly rest: Rest }
  | {
      readonly type: 'text-delta'
      readonly choice: number
      readonly text: string
      readonly logprobs?: readonly TokenLogprob[] | undefined
      readonly rest?: Rest | undefined
    }
  | { readonly type: 'reasoning-delta'; readonly choice: number; readonly text: string }
  | { readonly type: 'refusal-delta'; readonly choice: number; readonly text: string }
  | {
      readonly type: 'tool-call-start'
      readonly choice: number
      readonly index: number
      readonly id: string
      readonly name: string
    }
  | { readonly type: 'tool-call-delta'; readonly choice: number; readonly index: number; readonly arguments: string }
  | {
      readonly type: 'choice-end'
      readonly choice: number
      readonly reason: FinishReason
      readonly rest?: Rest | undefined
    }
  | { readonly type: 'usage'; readonly usage: Usage }
