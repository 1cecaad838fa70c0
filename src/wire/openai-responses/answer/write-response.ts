import type { Call, ChatCall } from '../../../core/call.ts'
import type { Choice, Result } from '../../../core/result.ts'
import type { AnswerHead } from '../../wire.ts'
import { thoughtShape } from './items.ts'
import { type OutputEvent, openOutput, type Teller } from './output.ts'
import { requestOf, responseId, statusOf, writeResponseObject } from './response-object.ts'

/** Whole answers as the Responses API writes them. A call of this wire has one answer. */
export function writeResponse(result: Result, call: Call, head: AnswerHead): string {
  if (result.kind === 'embed') throw new TypeError('an embedding result cannot be written as a response')
  const choice = result.choices[0]
  const output = openOutput(thoughtShape(requestOf(call)), silent)
  if (choice) for (const event of listEvents(choice)) output.take(event)
  const reason = choice?.finishReason ?? null
  return JSON.stringify(
    writeResponseObject(call as ChatCall, head, {
      id: responseId(result.id),
      created: result.created ?? head.created,
      status: statusOf(reason),
      output: output.items,
      reason,
      usage: result.usage,
      promptFilter: result.promptFilter,
      filter: choice?.filter,
      explanations: result.explanations,
      rest: result.rest,
      choiceRest: choice?.rest,
    }),
  )
}

const silent: Teller = { event() {}, delta() {} }

/** What a choice says, as it would have been streamed. */
function* listEvents(choice: Choice): Generator<OutputEvent> {
  const { reasoning, text, refusal, toolCalls = [], logprobs, pieces } = choice
  const isSame = pieces !== undefined && saysTheSame(choice)
  // Of pieces that somebody forgot to change, nothing goes out.
  if (pieces && isSame) {
    let tokens = logprobs
    for (const piece of pieces) {
      yield piece.type === 'text-delta' ? { ...piece, logprobs: tokens } : piece
      if (piece.type === 'text-delta') tokens = undefined
    }
  } else {
    if (reasoning) yield { type: 'reasoning-delta', choice: 0, text: reasoning }
    if (text) yield { type: 'text-delta', choice: 0, text, logprobs }
  }
  if (refusal) yield { type: 'refusal-delta', choice: 0, text: refusal }
  if (!isSame) {
    for (const [index, { id, name, arguments: said }] of toolCalls.entries()) {
      yield { type: 'tool-call-start', choice: 0, index, id, name }
      yield { type: 'tool-call-delta', choice: 0, index, arguments: said }
    }
  }
  yield { type: 'choice-end', choice: 0, reason: choice.finishReason ?? 'stop' }
}

function saysTheSame({ text, reasoning = '', toolCalls = [], pieces = [] }: Choice): boolean {
  let said = ''
  let thought = ''
  const calls: string[] = []
  for (const piece of pieces) {
    if (piece.type === 'text-delta') said += piece.text
    else if (piece.type === 'reasoning-delta') thought += piece.text
    else if (piece.type === 'tool-call-start') calls[piece.index] = ''
    else if (piece.type === 'tool-call-delta') calls[piece.index] += piece.arguments
  }
  return (
    said === (text ?? '') &&
    thought === reasoning &&
    calls.length === toolCalls.length &&
    toolCalls.every((call, index) => call.arguments === calls[index])
  )
}
