import type { ChatCall, CompletionCall, EmbedCall, ModelCall } from '../core/call.ts'
import type { Event } from '../core/event.ts'
import type { Backend, Reply } from '../core/reply.ts'
import { collectResult, type EmbedResult } from '../core/result.ts'
import { createAdmission } from './admission.ts'
import { checkCall } from './check-call.ts'
import { createMailbox } from './mailbox.ts'
import { type CallMessage, type LogLevel, unpackFault } from './protocol.ts'
import { type EngineState, superviseChild } from './supervisor.ts'

export type EngineOptions = {
  /** Path of a GGUF file. */
  readonly modelFile: string
  /** Names the backend: `builtin:<modelName>`. */
  readonly modelName: string
  /** Tokens per request, prompt and answer together; at most what the model was trained for. */
  readonly contextSize: number
  /** Answers written side by side. Memory is taken for `slots * contextSize` tokens. */
  readonly slots: number
  /** More than 1 is slower for small models and on busy machines: llama.cpp's threads spin while they wait. */
  readonly threads?: number
  /** Calls that may wait for a slot; more are refused with `engine-busy`. */
  readonly queueLimit: number
  /** Used when a caller names no temperature. 0, the default, takes the likeliest token: small models are best so. */
  readonly defaultTemperature?: number
  /** Milliseconds a request waits for a model that is being loaded. */
  readonly readyWaitMs?: number
  readonly restartMs?: number
  readonly retryFailedMs?: number
  readonly pingMs?: number
  /** Environment of the engine process: what the dynamic loader needs, no secrets. */
  readonly environment?: Readonly<Record<string, string>>
  readonly log: (level: LogLevel, text: string) => void
}

export type Engine = {
  readonly backend: Backend
  state(): EngineState & { readonly running: number; readonly waiting: number }
  /** Resolves when the model is loaded; rejects with Fault `engine-unavailable` when it can't be. */
  ready(): Promise<void>
  /** Ends the engine process; calls still running fail. */
  stop(): Promise<void>
}

/** Starts the engine process at once, so that the model loads while the rest of the server starts. */
export function startEngine(options: EngineOptions): Engine {
  const readyWaitMs = options.readyWaitMs ?? 20_000
  const supervisor = superviseChild({
    load: {
      modelFile: options.modelFile,
      contextSize: options.contextSize,
      slots: options.slots,
      threads: options.threads ?? 1,
      defaultTemperature: options.defaultTemperature ?? 0,
    },
    environment: options.environment ?? {},
    log: options.log,
    pingMs: options.pingMs ?? 10_000,
    restartMs: options.restartMs ?? 200,
    retryFailedMs: options.retryFailedMs ?? 60_000,
  })
  const admission = createAdmission(options.slots, options.queueLimit)

  /** Has the call answered by the child. The place is given back when the child is done, however slowly the answer is read. */
  async function start(
    call: ModelCall,
    signal: AbortSignal,
    onMessage: (message: CallMessage) => void,
  ): Promise<() => void> {
    // Before taking a place: what waits for the model to load is not in anybody's way.
    await supervisor.connect(signal, readyWaitMs)
    const leave = await admission.enter(signal)
    try {
      const link = await supervisor.connect(signal, readyWaitMs)
      const run = link.start(call, (message) => {
        if (message.type !== 'events') {
          signal.removeEventListener('abort', run.abort)
          leave()
        }
        onMessage(message)
      })
      if (signal.aborted) run.abort()
      signal.addEventListener('abort', run.abort, { once: true })
      return run.abort
    } catch (error) {
      leave()
      throw error
    }
  }

  async function openEvents(
    call: ChatCall | CompletionCall,
    signal: AbortSignal,
  ): Promise<AsyncIterableIterator<Event>> {
    let abort = () => {}
    const events = createMailbox<Event>(() => abort())
    abort = await start(call, signal, (message) => {
      if (message.type === 'events') message.events.forEach(events.put)
      else if (message.type === 'fault') events.fail(unpackFault(message.fault))
      else events.close()
    })
    return events.items
  }

  async function embed(call: EmbedCall, signal: AbortSignal): Promise<EmbedResult> {
    const { promise, resolve, reject } = Promise.withResolvers<EmbedResult>()
    await start(call, signal, (message) => {
      if (message.type === 'vectors') resolve({ kind: 'embed', vectors: message.vectors, usage: message.usage })
      else if (message.type === 'fault') reject(unpackFault(message.fault))
    })
    return promise
  }

  const backend: Backend = {
    id: `builtin:${options.modelName}`,
    kinds: new Set(['chat', 'completion', 'embed']),
    async send(call, signal): Promise<Reply> {
      checkCall(call)
      if (call.kind === 'embed') return { kind: 'whole', result: await embed(call, signal) }
      const events = await openEvents(call, signal)
      if (!call.stream) return { kind: 'whole', result: await collectResult(call.kind, events) }
      // The first event tells whether there will be an answer: until then a Fault may still send the call elsewhere.
      const first = await events.next()
      return { kind: 'stream', events: resumeAfter(first, events) }
    },
    async probe() {
      const { state, detail } = supervisor.state()
      return { ok: state === 'ready', detail: `${state}: ${detail}` }
    },
  }

  return {
    backend,
    state: () => ({ ...supervisor.state(), ...admission.counts() }),
    async ready() {
      await supervisor.connect(new AbortController().signal, readyWaitMs)
    },
    stop: supervisor.stop,
  }
}

/** The events with the one already taken put back. Not a generator: one that was never entered would not pass `return` on. */
function resumeAfter(first: IteratorResult<Event>, events: AsyncIterableIterator<Event>): AsyncIterable<Event> {
  let taken: IteratorResult<Event> | undefined = first
  const iterator: AsyncIterableIterator<Event> = {
    async next() {
      const result = taken ?? (await events.next())
      taken = undefined
      return result
    },
    async return() {
      return (await events.return?.()) ?? { value: undefined, done: true }
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
  return iterator
}
