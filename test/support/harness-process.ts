import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { DeploymentInput } from '../../src/snapshot/deployment-spec.ts'
import { type Harness, startHarness } from './harness.ts'

export type HarnessProcess = {
  readonly url: string
  /** Resident memory of the server, in bytes. */
  readRss(): Promise<number>
  stop(): Promise<void>
}

/** The harness in a process of its own, so that its memory can be told from the test's. */
export function startHarnessProcess(...deployments: DeploymentInput[]): Promise<HarnessProcess> {
  return forkHarness(import.meta.filename, JSON.stringify(deployments))
}

/** The same of a module that calls `serveParent`. */
export async function forkHarness(module: string, argument: string): Promise<HarnessProcess> {
  const child = fork(module, [argument])
  const ended = once(child, 'exit')
  const takers: ((message: unknown) => void)[] = []
  child.on('message', (message) => takers.shift()?.(message))
  const next = (): Promise<unknown> => {
    const failed = ended.then(([code]) => Promise.reject(new Error(`the server's process ended with code ${code}`)))
    return Promise.race([new Promise((take) => takers.push(take)), failed])
  }
  return {
    url: (await next()) as string,
    async readRss() {
      child.send('rss')
      return (await next()) as number
    },
    async stop() {
      child.kill()
      await ended
    },
  }
}

export function serveParent({ url }: Harness): void {
  process.on('message', () => process.send?.(process.memoryUsage.rss()))
  process.send?.(url)
}

if (import.meta.main) {
  const harness = await startHarness()
  harness.deploy(...JSON.parse(process.argv[2] as string))
  serveParent(harness)
}
