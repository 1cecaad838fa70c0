import { fork } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { ModelCall } from '../core/call.ts'
import { Fault } from '../core/fault.ts'
import {
  type CallMessage,
  type ChildMessage,
  type LoadOptions,
  type LogLevel,
  type ModelInfo,
  type ParentMessage,
  packFault,
} from './protocol.ts'

/** One engine process, from its start to its end. */
export type ChildLink = {
  readonly pid: number | undefined
  /** What became of loading: the model, or why there is none (`isCrash`: the process ended instead of saying so). */
  readonly loaded: Promise<{ readonly model: ModelInfo } | { readonly reason: string; readonly isCrash: boolean }>
  /** Resolves, with why, when the process is gone. */
  readonly ended: Promise<string>
  /**
   * Sends a call. `onMessage` gets its messages; the last one, always, is `end`, `vectors` or `fault`, the latter also when
   * the process dies.
   */
  start(call: ModelCall, onMessage: (message: CallMessage) => void): { abort(): void }
  /** Ends the process, which holds nothing worth saving, and resolves when it is gone. */
  kill(): Promise<void>
}

const childFile = fileURLToPath(new URL('./child/child.ts', import.meta.url))

/** Pings in a row that may stay unanswered. */
const silentPings = 3

export type ForkOptions = {
  readonly load: LoadOptions
  readonly environment: Readonly<Record<string, string>>
  /** Milliseconds between pings. A process that leaves several unanswered hangs, and is ended. */
  readonly pingMs: number
  readonly log: (level: LogLevel, text: string) => void
}

export function forkChild({ load, environment, pingMs, log }: ForkOptions): ChildLink {
  const child = fork(childFile, [], {
    execPath: process.execPath,
    execArgv: [],
    env: { ...environment, NODE_LLAMA_CPP_SKIP_DOWNLOAD: 'true' },
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  const loaded = Promise.withResolvers<Awaited<ChildLink['loaded']>>()
  const ended = Promise.withResolvers<string>()
  const listeners = new Map<number, (message: CallMessage) => void>()
  let hasEnded = false
  let nextId = 1
  let unanswered = 0
  let pinging: NodeJS.Timeout | undefined

  // The channel closes a moment before `exit` tells; what is said in between is answered by `end`.
  const tell = (message: ParentMessage): void => {
    if (child.connected) child.send(message)
  }
  const ping = (): void => {
    if (unanswered++ < silentPings) tell({ type: 'ping' })
    else child.kill('SIGKILL')
  }
  const end = (reason: string): void => {
    if (hasEnded) return
    hasEnded = true
    clearInterval(pinging)
    loaded.resolve({ reason, isCrash: true })
    ended.resolve(reason)
    for (const [id, listener] of listeners) listener(lostMessage(id))
    listeners.clear()
  }
  const receive = (message: ChildMessage): void => {
    unanswered = 0
    if (message.type === 'ready') {
      pinging = setInterval(ping, pingMs)
      loaded.resolve({ model: message.model })
    } else if (message.type === 'load-failed') loaded.resolve({ reason: message.reason, isCrash: false })
    else if (message.type === 'log') log(message.level, message.text)
    else if (message.type !== 'pong') {
      const listener = listeners.get(message.id)
      if (message.type !== 'events') listeners.delete(message.id)
      listener?.(message)
    }
  }
  child.on('message', (message) => receive(message as ChildMessage))
  child.on('error', (error) => end(`the engine process could not be started: ${error.message}`))
  child.on('exit', (code, signal) => end(`the engine process ended ${signal ? `by ${signal}` : `with code ${code}`}`))
  if (child.stderr) createInterface({ input: child.stderr }).on('line', (line) => log('warn', line))
  tell({ type: 'load', options: load })

  return {
    pid: child.pid,
    loaded: loaded.promise,
    ended: ended.promise,
    start(call, onMessage) {
      const id = nextId++
      if (hasEnded) {
        queueMicrotask(() => onMessage(lostMessage(id)))
        return { abort() {} }
      }
      listeners.set(id, onMessage)
      // The text of the request is of no use there, and long.
      tell({ type: 'run', id, call: { ...call, source: undefined, rest: undefined } })
      return {
        abort() {
          if (listeners.has(id)) tell({ type: 'abort', id })
        },
      }
    },
    async kill() {
      if (!hasEnded) child.kill('SIGKILL')
      await ended.promise
    },
  }
}

function lostMessage(id: number): CallMessage {
  const fault = new Fault(
    'engine-unavailable',
    'The engine process ended before the answer was complete. Please retry.',
    {
      retryAfterMs: 1_000,
    },
  )
  return { type: 'fault', id, fault: packFault(fault) }
}
