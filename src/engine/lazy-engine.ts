import type { CallKind } from '../core/call.ts'
import type { Backend } from '../core/reply.ts'
import type { Engine } from './engine.ts'

export type LazyEngine = {
  readonly backend: Backend
  /** The engine, if it has been started. */
  current(): Engine | undefined
  /** Starts the model's process without waiting for it. */
  start(): Engine
  stop(): Promise<void>
}

const kinds: ReadonlySet<CallKind> = new Set(['chat', 'completion', 'embed'])

/** An engine whose process runs only once something needs it, so that a server with upstream deployments alone pays nothing. */
export function createLazyEngine(modelName: string, open: () => Engine): LazyEngine {
  let engine: Engine | undefined
  const start = (): Engine => {
    engine ??= open()
    return engine
  }
  return {
    backend: {
      id: `builtin:${modelName}`,
      kinds,
      send: (call, signal, tally) => start().backend.send(call, signal, tally),
      probe: (signal) => start().backend.probe(signal),
    },
    current: () => engine,
    start,
    async stop() {
      const running = engine
      engine = undefined
      await running?.stop()
    },
  }
}
