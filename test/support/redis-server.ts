import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findProgram, withProgram } from './find-program.ts'
import { findFreePort, startProgram } from './start-program.ts'

/** A store of a test's own: on a free loopback port, nothing kept on disk, ended by its process id. */
export type RedisServer = {
  readonly url: string
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>
  /** Again on the same port, empty. */
  restart(): Promise<void>
  /** Halts it, connections and all, and lets it go on. */
  pause(): void
  resume(): void
  /** Ends it for good and removes its folder. */
  stop(): Promise<void>
}

/** Where `redis-server` or its fork is. */
export function findRedisServer(): string | undefined {
  return findProgram('PONTO_TEST_REDIS', 'redis-server', 'valkey-server')
}

/** Declares tests that need a store. */
export function withRedisServer(title: string, declare: () => void): void {
  withProgram(title, findRedisServer(), 'redis-server on PATH or in PONTO_TEST_REDIS', declare)
}

/** `args` are further options of the server: `--requirepass`, `--cluster-enabled`. */
export async function startRedisServer(...args: readonly string[]): Promise<RedisServer> {
  const program = findRedisServer()
  if (program === undefined) throw new Error('there is no redis-server')
  const folder = mkdtempSync(join(tmpdir(), 'ponto-redis-'))
  const port = await findFreePort()
  const options = ['--bind', '127.0.0.1', '--port', `${port}`, '--save', '', '--appendonly', 'no', '--dir', folder]
  const start = () => startProgram(program, [...options, ...args], /Ready to accept connections/, { limitMs: 10_000 })
  let running = await start()
  return {
    url: `redis://127.0.0.1:${port}`,
    kill: () => running.end('SIGKILL'),
    async restart() {
      await running.end('SIGKILL')
      running = await start()
    },
    pause: () => running.signal('SIGSTOP'),
    resume: () => running.signal('SIGCONT'),
    async stop() {
      await running.end('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
