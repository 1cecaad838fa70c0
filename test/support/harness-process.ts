import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { DeploymentInput } from '../../src/snapshot/deployment-spec.ts'
import { startHarness } from './harness.ts'

export type HarnessProcess = {
  readonly url: string
  /** Resident memory of the server, in bytes. */
  readRss(): Promise<number>
  stop(): Promise<void>
}

/** The harness in a process of its own, so that its memory can be told from the test's. */
export async function startHarnessProcess(...deployments: DeploymentInput[]): Promise<HarnessProcess> {
  const child = fork(import.meta.filename, [JSON.stringify(deployments)])
  const [url] = (await next(child)) as [string]
  return {
    url,
    async readRss() {
      child.send('rss')
      const [rss] = (await next(child)) as [number]
      return rss
    },
    async stop() {
      child.kill()
      await once(child, 'exit')
    },
  }
}

function next(child: ChildProcess): Promise<unknown[]> {
  return Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`the server's process ended with code ${code}`)
    }),
  ])
}

if (import.meta.main) {
  const harness = await startHarness()
  harness.deploy(...JSON.parse(process.argv[2] as string))
  process.on('message', () => process.send?.(process.memoryUsage.rss()))
  process.send?.(harness.url)
}
