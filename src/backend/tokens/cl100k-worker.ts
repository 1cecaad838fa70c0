import { parentPort } from 'node:worker_threads'
import tokens from 'gpt-tokenizer/bpeRanks/cl100k_base'

/** Turns lists of cl100k token ids into texts. A thread of its own, since loading the vocabulary takes a tenth of a second. */

export type DecodeRequest = { readonly id: number; readonly inputs: readonly (readonly number[])[] }

/** `badInput` is the place of the first input that holds an id the vocabulary does not have. */
export type DecodeAnswer = { readonly id: number } & ({ readonly texts: string[] } | { readonly badInput: number })

const specials: Readonly<Record<number, string>> = {
  100257: '<|endoftext|>',
  100258: '<|fim_prefix|>',
  100259: '<|fim_middle|>',
  100260: '<|fim_suffix|>',
  100276: '<|endofprompt|>',
}

parentPort?.on('message', ({ id, inputs }: DecodeRequest) => {
  const texts: string[] = []
  for (const input of inputs) {
    const text = decode(input)
    if (text === undefined) break
    texts.push(text)
  }
  const isWhole = texts.length === inputs.length
  parentPort?.postMessage({ id, ...(isWhole ? { texts } : { badInput: texts.length }) } satisfies DecodeAnswer)
})

/** A token is text, or bytes where it ends within a character. Undefined when an id is none. */
function decode(ids: readonly number[]): string | undefined {
  let text = ''
  let bytes: number[] = []
  for (const id of ids) {
    const token = tokens[id] ?? specials[id]
    if (token === undefined) return undefined
    if (typeof token !== 'string') {
      bytes.push(...token)
      continue
    }
    if (bytes.length > 0) {
      text += Buffer.from(bytes).toString()
      bytes = []
    }
    text += token
  }
  return text + Buffer.from(bytes).toString()
}
