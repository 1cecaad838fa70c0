import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** A program of this folder as a process of its own: it says one thing when it is ready, and answers one message at a time. */
export type Child = {
  readonly pid: number
  /** What it said first. */
  readonly ready: unknown
  ask(message: object): Promise<unknown>
  stop(): Promise<void>
}

export async function startChild(file: string, ...args: string[]): Promise<Child> {
  const child: ChildProcess = fork(join(import.meta.dir, file), args)
  const ended = once(child, 'exit')
  const next = async (): Promise<unknown> => {
    const failed = ended.then(([code]) => Promise.reject(new Error(`bench/load/${file} ended with code ${code}`)))
    const [message] = (await Promise.race([once(child, 'message'), failed])) as unknown[]
    return message
  }
  return {
    pid: child.pid as number,
    ready: await next(),
    ask(message) {
      child.send(message)
      return next()
    },
    async stop() {
      child.kill()
      await ended
    },
  }
}

/** The other side of it. Ends with the parent, whatever becomes of that. */
export function serveParent(ready: unknown, answer?: (message: never) => Promise<unknown>): void {
  process.on('disconnect', () => process.exit())
  process.on('message', async (message) => process.send?.(await answer?.(message as never)))
  process.send?.(ready ?? null)
}
