import type { ChatCall } from '../../core/call.ts'
import { Fault } from '../../core/fault.ts'
import { type JsonObject, parseJsonObject } from '../../core/json.ts'
import { type AnswerResult, collectResult } from '../../core/result.ts'
import type { Usage } from '../../core/usage/usage.ts'
import { writeChatResult } from '../../wire/openai-chat/answer.ts'
import { openaiChatClient } from '../../wire/openai-chat/client.ts'
import { readSseData } from '../../wire/sse/read-sse.ts'
import type { AnswerHead } from '../../wire/wire.ts'
import type { Answer } from './tap.ts'

/**
 * The answer as one document, whichever way it came. `usage` is what was counted where the caller's stream does not say it.
 * Rejects with a Fault when it was none: an upstream's error within a stream.
 */
export async function foldAnswer(
  answer: Answer,
  call: ChatCall,
  head: AnswerHead,
  usage: Usage | undefined,
): Promise<JsonObject> {
  if (answer.kind === 'json') return readWhole(answer.body)
  const result = await foldResult(answer, call)
  const text = writeChatResult({ ...result, usage: result.usage ?? usage }, call, head)
  return JSON.parse(text) as JsonObject
}

function readWhole(body: Uint8Array): JsonObject {
  const answer = parseJsonObject(new TextDecoder().decode(body))
  if (!Array.isArray(answer?.choices)) throw new Fault('upstream-failed', "The backend's answer has no choices.")
  return answer
}

function foldResult(answer: Exclude<Answer, { kind: 'json' }>, call: ChatCall): AnswerResult | Promise<AnswerResult> {
  switch (answer.kind) {
    case 'result':
      return answer.result
    case 'events':
      return collectResult('chat', iterate(answer.events))
    case 'sse':
      return collectResult('chat', openaiChatClient.readEvents(readSseData(iterate(answer.chunks)), call))
  }
}

async function* iterate<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}
