import { test } from 'bun:test'
import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'

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

const startLimitMs = 10_000

/** Where `redis-server` or its fork is on PATH. */
export function findRedisServer(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  const names = ['redis-server', 'valkey-server']
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(isExecutable)
}

/**
 * Declares tests that need a store. Where there is no `redis-server` they are one skipped test that says so; in CI, where it belongs to
 * the machine, one that fails.
 */
export function withRedisServer(title: string, declare: () => void): void {
  if (findRedisServer() !== undefined) {
    declare()
    return
  }
  const detail = `${title}: there is no redis-server on PATH`
  if (process.env.CI) {
    test(detail, () => {
      throw new Error(detail)
    })
  } else test.skip(detail, () => {})
}

/** `args` are further options of the server: `--requirepass`, `--cluster-enabled`. */
export async function startRedisServer(...args: readonly string[]): Promise<RedisServer> {
  const program = findRedisServer()
  if (program === undefined) throw new Error('there is no redis-server on PATH')
  const folder = mkdtempSync(join(tmpdir(), 'ponto-redis-'))
  const port = await findFreePort()
  const options = ['--bind', '127.0.0.1', '--port', `${port}`, '--save', '', '--appendonly', 'no', '--dir', folder]
  const start = (): Promise<Running> => launch(program, [...options, ...args])
  let running = await start()
  return {
    url: `redis://127.0.0.1:${port}`,
    kill: () => running.end('SIGKILL'),
    async restart() {
      await running.end('SIGKILL')
      running = await start()
    },
    pause: () => void running.child.kill('SIGSTOP'),
    resume: () => void running.child.kill('SIGCONT'),
    async stop() {
      await running.end('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

type Running = { readonly child: ChildProcess; end(signal: NodeJS.Signals): Promise<void> }

async function launch(program: string, args: readonly string[]): Promise<Running> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const exited = new Promise<void>((done) => child.once('exit', () => done()))
  let output = ''
  const timer = setTimeout(() => child.kill('SIGKILL'), startLimitMs)
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
  const ready = new Promise<void>((done, fail) => {
    lines.on('line', (line) => {
      output += `${line}\n`
      if (line.includes('Ready to accept connections')) done()
    })
    exited.then(() => fail(new Error(`${program} ended before it was ready:\n${output}`)))
  })
  try {
    await ready
  } finally {
    clearTimeout(timer)
  }
  return {
    child,
    async end(signal) {
      child.kill(signal)
      await exited
    },
  }
}

function findFreePort(): Promise<number> {
  const probe = createServer()
  return new Promise((done, fail) => {
    probe.once('error', fail)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => done(port))
    })
  })
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
