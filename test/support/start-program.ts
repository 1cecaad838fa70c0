import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { createServer } from 'node:net'

/** A program that runs beside a test and is ended by its process id. */
export type StartedProgram = {
  /** What it printed when it was ready. */
  readonly ready: RegExpExecArray
  /** Sends a signal, also to one that is halted, and resolves when it has ended. */
  end(signal: NodeJS.Signals): Promise<void>
  signal(name: NodeJS.Signals): void
}

/** Once it is ready, what it says of every request is not kept. */
const mostOutput = 100_000

/** Starts a program and waits until it prints what `isReady` finds; rejects, with what it printed instead, when it ends before or is late. */
export async function startProgram(
  program: string,
  args: readonly string[],
  isReady: RegExp,
  { limitMs = 30_000, ...options }: SpawnOptions & { readonly limitMs?: number } = {},
): Promise<StartedProgram> {
  const child: ChildProcess = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  const exited = new Promise<void>((done) => {
    child.once('exit', () => done())
    child.once('error', () => done())
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs)
  let output = ''
  const ready = new Promise<RegExpExecArray>((done, fail) => {
    const read = (chunk: Buffer): void => {
      if (output.length > mostOutput) return
      output += chunk
      const found = isReady.exec(output)
      if (found) done(found)
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    child.once('error', fail)
    exited.then(() => fail(new Error(`${program} ended before it was ready:\n${output}`)))
  })
  try {
    return {
      ready: await ready,
      async end(signal) {
        child.kill('SIGCONT')
        child.kill(signal)
        await exited
      },
      signal: (name) => void child.kill(name),
    }
  } finally {
    clearTimeout(timer)
  }
}

export function findFreePort(): Promise<number> {
  const probe = createServer()
  return new Promise((done, fail) => {
    probe.once('error', fail)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => done(port))
    })
  })
}
