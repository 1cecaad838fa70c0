import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { writeFixtureGguf } from '../../test/support/fixture-gguf.ts'
import type { ChatCall, CompletionCall, EmbedCall, Message } from '../core/call.ts'
import type { Event } from '../core/event.ts'
import { Fault } from '../core/fault.ts'
import type { AnswerResult } from '../core/result.ts'
import { openTally } from '../core/usage/tally.ts'
import { type Engine, type EngineOptions, startEngine } from './engine.ts'

export type EngineBench = {
  /** Where model files go. */
  readonly folder: string
  /** Starts an engine on a file of the folder. */
  start(file: string, more?: Partial<EngineOptions>): Engine
  /** Stops all engines and removes the folder. */
  close(): Promise<void>
}

/** A folder with `random.gguf`, a model whose text means nothing, and a way to start engines. */
export function openBench(): EngineBench {
  const folder = mkdtempSync(path.join(tmpdir(), 'ponto-engine-'))
  const engines: Engine[] = []
  writeFixtureGguf(path.join(folder, 'random.gguf'))
  return {
    folder,
    start(file, more = {}) {
      const engine = startEngine({
        modelFile: path.join(folder, file),
        modelName: 'fixture',
        contextSize: 512,
        slots: 4,
        queueLimit: 64,
        log() {},
        ...more,
      })
      engines.push(engine)
      return engine
    },
    async close() {
      await Promise.all(engines.map((engine) => engine.stop()))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Bias that keeps fixture models from ending their text: the specials follow 256 bytes and 3 merges. */
export const endless = { 260: -100 }

/** A caller who stays. */
export const never = new AbortController().signal

export function chat(content: string | readonly Message[], more: Partial<ChatCall> = {}): ChatCall {
  const messages = typeof content === 'string' ? [{ role: 'user', content } as const] : content
  return { kind: 'chat', deployment: 'd', stream: false, includeUsage: false, n: 1, messages, ...more }
}

export function completion(prompts: CompletionCall['prompts'], more: Partial<CompletionCall> = {}): CompletionCall {
  return { kind: 'completion', deployment: 'd', stream: false, includeUsage: false, n: 1, prompts, ...more }
}

export function embedding(inputs: EmbedCall['inputs'], more: Partial<EmbedCall> = {}): EmbedCall {
  return { kind: 'embed', deployment: 'd', stream: false, includeUsage: false, encoding: 'float', inputs, ...more }
}

export async function whole(engine: Engine, call: ChatCall | CompletionCall, signal = never): Promise<AnswerResult> {
  const reply = await engine.backend.send(call, signal, openTally())
  if (reply.kind !== 'whole' || reply.result.kind === 'embed') throw new Error('not an answer')
  return reply.result
}

export async function vectors(engine: Engine, call: EmbedCall): Promise<{ vectors: Float32Array[]; usage: unknown }> {
  const reply = await engine.backend.send(call, never, openTally())
  if (reply.kind !== 'whole' || reply.result.kind !== 'embed') throw new Error('not vectors')
  return { vectors: reply.result.vectors as Float32Array[], usage: reply.result.usage }
}

export async function stream(
  engine: Engine,
  call: ChatCall | CompletionCall,
  signal = never,
): Promise<AsyncIterator<Event>> {
  const reply = await engine.backend.send({ ...call, stream: true }, signal, openTally())
  if (reply.kind !== 'stream') throw new Error('not a stream')
  return reply.events[Symbol.asyncIterator]()
}

export async function drain(events: AsyncIterator<Event>): Promise<Event[]> {
  const all: Event[] = []
  for (let step = await events.next(); !step.done; step = await events.next()) all.push(step.value)
  return all
}

export async function faultOf(work: Promise<unknown>): Promise<Fault> {
  try {
    await work
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
  throw new Error('no Fault was thrown')
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

export async function until(holds: () => boolean, limitMs = 10_000): Promise<void> {
  const deadline = performance.now() + limitMs
  while (!holds()) {
    if (performance.now() > deadline) throw new Error('it did not come about in time')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
