import { startChild } from './child.ts'
import { type Started, upstreamPath } from './target.ts'

export async function startRelay(upstreamPort: number): Promise<Started> {
  const spawnedMs = performance.now()
  const child = await startChild('bare-relay.ts', `http://127.0.0.1:${upstreamPort}`)
  return {
    targets: [
      {
        name: 'bare Bun relay',
        port: child.ready as number,
        pid: child.pid,
        path: upstreamPath,
        headers: {},
        model: (workload) => workload,
      },
    ],
    startMs: performance.now() - spawnedMs,
    stop: child.stop,
  }
}
