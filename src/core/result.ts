import type { Rest, ToolCall } from './call.ts'
import type { Event, FinishReason, TokenLogprob } from './event.ts'
import type { Explanation, FilterResults } from './filter/results.ts'
import type { Usage } from './usage/usage.ts'

type ResultBase = {
  /** Id, model and creation time (unix seconds) as the serving model reports them, if it does. */
  readonly id?: string | undefined
  readonly model?: string | undefined
  readonly created?: number | undefined
  readonly usage?: Usage | undefined
  readonly systemFingerprint?: string | undefined
  readonly rest?: Rest | undefined
}

/** A part of what a choice says, in one piece or many. */
export type ChoicePiece = Extract<
  Event,
  { readonly type: 'message-rest' | 'reasoning-delta' | 'text-delta' | 'tool-call-delta' | 'tool-call-start' }
>

/** One of the n answers. For completions `text` is the completion and the tool fields stay empty. */
export type Choice = {
  readonly index: number
  readonly text: string | null
  readonly reasoning?: string | undefined
  readonly refusal?: string | undefined
  readonly toolCalls?: readonly ToolCall[] | undefined
  readonly finishReason: FinishReason | null
  readonly logprobs?: readonly TokenLogprob[] | undefined
  readonly rest?: Rest | undefined
  /** Unknown fields of the message within the choice. */
  readonly messageRest?: Rest | undefined
  /**
   * The same once more in the order in which it was said, with the unknown fields between, where the serving model's protocol has an
   * order. Whoever changes the texts above changes these too.
   */
  readonly pieces?: readonly ChoicePiece[] | undefined
  /** What a content filter says of it. Of a choice it kept back `text` is null and the reason `content_filter`. */
  readonly filter?: FilterResults | undefined
}

export type AnswerResult = ResultBase & {
  readonly kind: 'chat' | 'completion'
  readonly choices: readonly Choice[]
  /** What a content filter says of the prompt. */
  readonly promptFilter?: FilterResults | undefined
  /** Why, for callers who may know. */
  readonly explanations?: readonly Explanation[] | undefined
}
export type EmbedResult = ResultBase & { readonly kind: 'embed'; readonly vectors: readonly ArrayLike<number>[] }

/** The whole answer to a Call: what a stream of Events folds into. */
export type Result = AnswerResult | EmbedResult

type OpenChoice = {
  text: string | null
  reasoning: string
  refusal: string
  toolCalls: { id: string; name: string; arguments: string }[]
  reason: FinishReason | null
  logprobs: TokenLogprob[]
  rest: Rest | undefined
  messageRest: Rest | undefined
  filter: FilterResults | undefined
}

/** Folds a stream into the Result that a whole answer would have been. */
export async function collectResult(kind: 'chat' | 'completion', events: AsyncIterable<Event>): Promise<AnswerResult> {
  const choices: OpenChoice[] = []
  let start: Extract<Event, { type: 'answer-start' }> | undefined
  let usage: Usage | undefined
  let rest: Rest | undefined
  let promptFilter: FilterResults | undefined
  const explanations: Explanation[] = []
  const choiceAt = (index: number): OpenChoice => {
    let choice = choices[index]
    if (!choice) {
      choice = {
        text: null,
        reasoning: '',
        refusal: '',
        toolCalls: [],
        reason: null,
        logprobs: [],
        rest: undefined,
        messageRest: undefined,
        filter: undefined,
      }
      choices[index] = choice
    }
    return choice
  }
  for await (const event of events) {
    if (event.type === 'answer-start') start = event
    else if (event.type === 'prompt-filter') {
      promptFilter = event.results
      explanations.push(...(event.explanations ?? []))
    } else if (event.type === 'answer-rest') rest = mergeRest(rest, event.rest)
    else if (event.type === 'usage') usage = event.usage
    else {
      if (event.type === 'choice-end') explanations.push(...(event.explanations ?? []))
      applyDelta(choiceAt(event.choice), event)
    }
  }
  return {
    kind,
    id: start?.id,
    model: start?.model,
    created: start?.created,
    systemFingerprint: start?.systemFingerprint,
    usage,
    rest: mergeRest(start?.rest, rest),
    promptFilter,
    explanations: explanations.length > 0 ? explanations : undefined,
    choices: choices.map((choice, index) => closeChoice(choice, index)),
  }
}

/** Later fields win, as the last annotation of a choice covers all of it. */
function mergeRest(first: Rest | undefined, second: Rest | undefined): Rest | undefined {
  if (!first || !second) return first ?? second
  return { wire: second.wire, fields: { ...first.fields, ...second.fields } }
}

function applyDelta(
  choice: OpenChoice,
  event: Exclude<Event, { type: 'answer-start' | 'answer-rest' | 'prompt-filter' | 'usage' }>,
): void {
  if ('filter' in event && event.filter) choice.filter = event.filter
  switch (event.type) {
    case 'choice-filter':
      choice.filter = event.results
      break
    case 'text-delta':
      choice.text = (choice.text ?? '') + event.text
      if (event.logprobs) choice.logprobs.push(...event.logprobs)
      choice.rest = mergeRest(choice.rest, event.rest)
      break
    case 'reasoning-delta':
      choice.reasoning += event.text
      break
    case 'refusal-delta':
      choice.refusal += event.text
      break
    case 'tool-call-start':
      choice.toolCalls[event.index] = { id: event.id, name: event.name, arguments: '' }
      break
    case 'tool-call-delta': {
      const call = choice.toolCalls[event.index]
      if (call) call.arguments += event.arguments
      break
    }
    case 'choice-end':
      choice.reason = event.reason
      choice.rest = mergeRest(choice.rest, event.rest)
      break
    case 'message-rest':
      choice.messageRest = mergeRest(choice.messageRest, event.rest)
  }
}

function closeChoice(choice: OpenChoice, index: number): Choice {
  const hasTools = choice.toolCalls.length > 0
  return {
    index,
    text: choice.text ?? (hasTools || choice.refusal ? null : ''),
    reasoning: choice.reasoning || undefined,
    refusal: choice.refusal || undefined,
    toolCalls: hasTools ? choice.toolCalls.filter(Boolean) : undefined,
    finishReason: choice.reason,
    logprobs: choice.logprobs.length > 0 ? choice.logprobs : undefined,
    rest: choice.rest,
    messageRest: choice.messageRest,
    filter: choice.filter,
  }
}
