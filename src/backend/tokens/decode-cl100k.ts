import { Worker } from 'node:worker_threads'
import { Fault } from '../../core/fault.ts'
import type { DecodeAnswer, DecodeRequest } from './cl100k-worker.ts'

type Waiting = { resolve(answer: DecodeAnswer): void; reject(error: unknown): void }

const waiting = new Map<number, Waiting>()
let worker: Worker | undefined
let lastId = 0

/**
 * The texts that lists of cl100k token ids stand for; half a character at an end becomes U+FFFD. The vocabulary is loaded at the
 * first use, in a thread that other requests do not notice. Throws Fault `invalid-request` naming the input that holds an id which
 * is none.
 */
export async function decodeCl100k(inputs: readonly (readonly number[])[]): Promise<string[]> {
  const answer = await ask(inputs)
  if ('texts' in answer) return answer.texts
  const param = `input[${answer.badInput}]`
  throw new Fault('invalid-request', `${param} holds an id that is no token of cl100k_base. Send text instead.`, {
    param,
  })
}

function ask(inputs: readonly (readonly number[])[]): Promise<DecodeAnswer> {
  worker ??= startWorker()
  const id = ++lastId
  const { promise, resolve, reject } = Promise.withResolvers<DecodeAnswer>()
  waiting.set(id, { resolve, reject })
  // Only work under way holds the process.
  worker.ref()
  worker.postMessage({ id, inputs } satisfies DecodeRequest)
  return promise
}

function startWorker(): Worker {
  const started = new Worker(new URL('./cl100k-worker.ts', import.meta.url))
  started.on('message', (answer: DecodeAnswer) => {
    waiting.get(answer.id)?.resolve(answer)
    waiting.delete(answer.id)
    if (waiting.size === 0) started.unref()
  })
  const fail = (error: unknown): void => {
    if (worker === started) worker = undefined
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  }
  started.on('error', fail)
  started.on('exit', (code) => fail(new Error(`the thread that decodes tokens ended with code ${code}`)))
  return started
}
