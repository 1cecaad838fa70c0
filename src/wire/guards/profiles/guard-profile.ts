import type { ChatCall, Message, Rest } from '../../../core/call.ts'
import type { Question, Segment } from '../../../core/filter/engine.ts'
import type { AnswerResult } from '../../../core/result.ts'
import type { EngineOptions } from '../option-row.ts'
import type { ProfileName } from '../profile-kinds.ts'
import { type Reading, unreadable } from '../reading.ts'

/** One call of a guard model, and how its answer is read. `read` throws Fault `upstream-failed` for what says nothing reliable. */
export type GuardAsk = { readonly call: ChatCall; read(result: AnswerResult): Reading }

/** How a kind of guard model is asked. Pure: one or several calls, each answered by itself. */
export type GuardProfile = {
  readonly name: ProfileName
  buildCalls(segments: readonly Segment[], question: Question, maxChars: number): readonly GuardAsk[]
}

export type ProfileMaker = (options: EngineOptions) => GuardProfile

export type GuardCallOptions = {
  readonly maxTokens: number
  readonly hasScores?: boolean
  /** Fields of the chat completions protocol besides: arguments of the server's chat template. */
  readonly fields?: Rest['fields'] | undefined
  readonly responseFormat?: ChatCall['responseFormat']
}

/** A call to no deployment yet, without randomness. */
export function guardCall(messages: readonly Message[], options: GuardCallOptions): ChatCall {
  return {
    kind: 'chat',
    deployment: '',
    stream: false,
    includeUsage: false,
    messages,
    n: 1,
    temperature: 0,
    maxTokens: options.maxTokens,
    logprobs: options.hasScores ? { top: 5 } : undefined,
    responseFormat: options.responseFormat,
    rest: options.fields && { wire: 'openai-chat', fields: options.fields },
  }
}

export type AnswerText = {
  readonly text: string
  /** It ended for want of tokens: its last word may be half of one. */
  readonly isCut: boolean
}

/** The text of the one answer. Throws for an answer that is none, was refused or was itself filtered. */
export function readAnswerText(result: AnswerResult): AnswerText {
  const [choice] = result.choices
  if (!choice) throw unreadable('its answer is empty')
  if (choice.finishReason === 'content_filter') throw unreadable('its answer was kept back by a filter of its own')
  const text = (choice.text ?? '').trim()
  if (text === '') throw unreadable(choice.refusal ? 'it refused to judge' : 'its answer is empty')
  return { text, isCut: choice.finishReason === 'length' }
}

/** What stands in for the words of a caller where a chat template insists on some before an answer. */
export const noQuery = '(not given)'
