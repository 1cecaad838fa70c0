import { setTimeout as sleep } from 'node:timers/promises'
import { Fault } from '../core/fault.ts'
import { type ChildLink, type ForkOptions, forkChild } from './child-link.ts'
import type { ModelInfo } from './protocol.ts'

export type EngineState = {
  readonly state: 'starting' | 'ready' | 'restarting' | 'failed' | 'stopped'
  /** For operators: why, in words. May name files. */
  readonly detail: string
  /** Of the engine process, while there is one. */
  readonly pid?: number | undefined
  readonly model?: ModelInfo | undefined
  /** How many times the process was started. */
  readonly starts: number
}

/** Keeps one engine process alive. */
export type Supervisor = {
  state(): EngineState
  /**
   * The process that can answer now; waits for one that is on its way, at most `waitMs`. Rejects with Fault
   * `engine-unavailable` when there is none to wait for, and `client-gone` when the signal aborts.
   */
  connect(signal: AbortSignal, waitMs: number): Promise<ChildLink>
  stop(): Promise<void>
}

export type SupervisorOptions = ForkOptions & {
  /** Milliseconds before the first restart after a crash; doubled with each crash that follows soon. */
  readonly restartMs: number
  /** Milliseconds between attempts once given up. */
  readonly retryFailedMs: number
}

/** Crashes in a row after which the engine counts as failed. */
const crashLimit = 5
/** A process that lived this long has not crashed "in a row". */
const steadyMs = 30_000

export function superviseChild(options: SupervisorOptions): Supervisor {
  const stopping = new AbortController()
  let state: EngineState = { state: 'starting', detail: 'the model is being loaded', starts: 0 }
  let arrival = Promise.withResolvers<ChildLink>()
  let link: ChildLink | undefined
  const set = (change: Partial<EngineState>): void => {
    state = { ...state, ...change }
  }
  const expectArrival = (): void => {
    arrival = Promise.withResolvers<ChildLink>()
    arrival.promise.catch(() => {})
  }

  /** Starts the process, waits until it is gone, again and again. */
  async function keepAlive(): Promise<void> {
    let crashes = 0
    while (!stopping.signal.aborted) {
      link = forkChild(options)
      set({ pid: link.pid, starts: state.starts + 1 })
      const startedAt = performance.now()
      const outcome = await link.loaded
      if (stopping.signal.aborted) break
      let reason: string
      let hasFailed = false
      if ('model' in outcome) {
        const loadMs = Math.round(performance.now() - startedAt)
        if (state.state === 'failed') expectArrival()
        set({ state: 'ready', detail: `ready after ${loadMs} ms`, model: outcome.model })
        options.log('info', `The engine is ready after ${loadMs} ms (process ${link.pid}).`)
        arrival.resolve(link)
        reason = await link.ended
        if (stopping.signal.aborted) break
        expectArrival()
      } else {
        reason = outcome.reason
        hasFailed = !outcome.isCrash
        await link.kill()
        if (stopping.signal.aborted) break
      }
      crashes = performance.now() - startedAt > steadyMs ? 1 : crashes + 1
      hasFailed ||= crashes >= crashLimit
      set({ state: hasFailed ? 'failed' : 'restarting', detail: reason, pid: undefined, model: undefined })
      options.log('error', hasFailed ? `The engine has failed: ${reason}` : `The engine is restarted: ${reason}`)
      if (hasFailed)
        arrival.reject(new Fault('engine-unavailable', failedText, { retryAfterMs: options.retryFailedMs }))
      const pauseMs = hasFailed ? options.retryFailedMs : options.restartMs * 2 ** (crashes - 1)
      await sleep(pauseMs, undefined, { signal: stopping.signal, ref: false }).catch(() => {})
    }
  }

  expectArrival()
  const life = keepAlive()

  return {
    state: () => state,
    connect: (signal, waitMs) => waitFor(arrival.promise, signal, waitMs),
    async stop() {
      stopping.abort()
      set({ state: 'stopped', detail: 'stopped', pid: undefined, model: undefined })
      expectArrival()
      arrival.reject(new Fault('engine-unavailable', 'The server is stopping.'))
      await link?.kill()
      await life
    },
  }
}

const failedText = 'The built-in engine cannot load its model. The log of the server and its status say why.'

function waitFor(arrival: Promise<ChildLink>, signal: AbortSignal, waitMs: number): Promise<ChildLink> {
  const { promise, resolve, reject } = Promise.withResolvers<ChildLink>()
  const leave = () => reject(new Fault('client-gone', 'The caller left while the engine was loading.'))
  const timer = setTimeout(() => {
    reject(
      new Fault('engine-unavailable', 'The built-in engine is still loading its model. Please retry.', {
        retryAfterMs: 5_000,
      }),
    )
  }, waitMs)
  if (signal.aborted) leave()
  signal.addEventListener('abort', leave, { once: true })
  arrival.then(resolve, reject)
  return promise.finally(() => {
    clearTimeout(timer)
    signal.removeEventListener('abort', leave)
  })
}
