import { Redis } from 'ioredis'
import { Fault } from '../../../core/fault.ts'
import type { Script } from './scripts.ts'

export type ScriptArgument = string | number

/** One connection to the store. It reconnects by itself and keeps no queue: what cannot be sent now fails now. */
export type StoreLink = {
  isReady(): boolean
  /** Puts scripts into the store, which forgets them when it restarts. Rejects as `call` does. */
  load(scripts: readonly Script[]): Promise<void>
  /** Sends at once, in order. Rejects with an Error that is safe to show; never waits for a connection. */
  call(script: Script, keys: readonly string[], args: readonly ScriptArgument[]): Promise<readonly unknown[]>
  /** Why there is no connection, as far as is known. */
  lastError(): string | undefined
  /** Gives the connection up for a new one: for a peer that is connected and dumb. */
  reconnect(): void
  close(): void
}

export type StoreLinkOptions = {
  /** `redis://` or `rediss://`, with user, password and database if need be. */
  readonly url: string
  onReady(): void
  onLost(): void
}

const connectTimeoutMs = 2_000
const retryDelaysMs = [50, 100, 250, 500, 1_000]

/** Throws a Fault where the URL is none; everything else is told by the callbacks. */
export function openStoreLink({ url, onReady, onLost }: StoreLinkOptions): StoreLink {
  const secrets = readSecrets(url)
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // What was under way when a connection broke is answered at once.
    maxRetriesPerRequest: 0,
    connectTimeout: connectTimeoutMs,
    retryStrategy: (attempt) => retryDelaysMs[Math.min(attempt, retryDelaysMs.length) - 1],
  })
  let lastError: string | undefined
  redis.on('ready', () => {
    lastError = undefined
    onReady()
  })
  redis.on('close', onLost)
  redis.on('error', (error: Error) => {
    lastError = describe(error)
  })
  redis.connect().catch((error: Error) => {
    lastError = describe(error)
  })

  /** The library's errors carry the command with its arguments, AUTH among them: only their text goes on, without secrets. */
  function describe(error: unknown): string {
    let text = error instanceof Error ? error.message || error.name : String(error)
    for (const secret of secrets) text = text.replaceAll(secret, '***')
    return text
  }

  async function call(script: Script, keys: readonly string[], args: readonly ScriptArgument[]) {
    try {
      return (await redis.evalsha(script.sha, keys.length, ...keys, ...args)) as unknown[]
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw new Error(describe(error))
    }
    try {
      return (await redis.eval(script.text, keys.length, ...keys, ...args)) as unknown[]
    } catch (error) {
      throw new Error(describe(error))
    }
  }

  async function load(scripts: readonly Script[]): Promise<void> {
    try {
      await Promise.all(scripts.map(({ text }) => redis.script('LOAD', text)))
    } catch (error) {
      throw new Error(describe(error))
    }
  }

  return {
    load,
    isReady: () => redis.status === 'ready',
    call,
    lastError: () => lastError,
    reconnect: () => redis.disconnect(true),
    close: () => redis.disconnect(),
  }
}

function readSecrets(url: string): readonly string[] {
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch {
    throw badUrl('it is not a URL')
  }
  if (parsed.protocol !== 'redis:' && parsed.protocol !== 'rediss:') throw badUrl(`it begins with ${parsed.protocol}`)
  const { password } = parsed
  return [...new Set([password, decode(password)])].filter((secret) => secret !== '')
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Without the URL: it may hold a password wherever it is wrong. */
function badUrl(reason: string): Fault {
  return new Fault(
    'invalid-request',
    `The address of the counters' store cannot be used: ${reason}. Write redis://host:port or rediss://user:password@host:port.`,
  )
}
