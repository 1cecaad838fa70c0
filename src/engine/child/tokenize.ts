import type { LlamaModel, Token } from 'node-llama-cpp'
import type { TextInput } from '../../core/call.ts'
import { Fault } from '../../core/fault.ts'
import type { ModelInfo } from '../protocol.ts'
import type { GuardedPiece } from '../text/reserved-text.ts'

/** Tokens of a rendered chat. Only what the template wrote can become a control token. */
export function tokenizePieces(model: LlamaModel, pieces: readonly GuardedPiece[]): Token[] {
  return withBos(
    model,
    pieces.flatMap((piece) => model.tokenize(piece.text, !piece.isCaller)),
  )
}

/**
 * Tokens of a raw prompt; `param` names it in Faults. Text never becomes control tokens: who wants those sends ids.
 * An empty prompt begins a text.
 */
export function tokenizePrompt(model: LlamaModel, info: ModelInfo, input: TextInput, param: string): Token[] {
  const tokens = typeof input === 'string' ? withBos(model, model.tokenize(input)) : readIds(info, input, param)
  if (tokens.length > 0) return tokens
  const first = model.tokens.bos ?? model.tokens.eos
  if (first === null) throw new Fault('invalid-request', `${param} is empty.`, { param })
  return [first]
}

/** Token ids as the caller gave them. Throws Fault when the vocabulary has no such token. */
export function readIds(info: ModelInfo, ids: readonly number[], param: string): Token[] {
  for (const id of ids) {
    if (Number.isInteger(id) && id >= 0 && id < info.vocabularySize) continue
    throw new Fault(
      'invalid-request',
      `${param} holds the token ${id}; this model has the tokens 0 to ${info.vocabularySize - 1}.`,
      {
        param,
      },
    )
  }
  return ids as Token[]
}

/** Throws Fault `context-length-exceeded` unless the prompt leaves room for a token. */
export function checkContext(info: ModelInfo, promptTokens: number, param: string, noun: string): void {
  if (promptTokens < info.contextSize) return
  throw new Fault(
    'context-length-exceeded',
    `This model's maximum context length is ${info.contextSize} tokens. However, your ${noun} resulted in ` +
      `${promptTokens} tokens. Please reduce the length of the ${noun}.`,
    { param },
  )
}

function withBos(model: LlamaModel, tokens: Token[]): Token[] {
  const { bos, shouldPrependBosToken } = model.tokens
  return shouldPrependBosToken && bos !== null && tokens[0] !== bos ? [bos, ...tokens] : tokens
}
