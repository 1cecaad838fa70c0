import { rmSync, writeFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServer } from '../../test/support/server-process.ts'
import type { Started, Target } from './target.ts'
import type { Workload } from './workloads.ts'

export type StartedPonto = Started & {
  /** Milliseconds of the very first start, which makes keys, database and certificates; `startMs` is the second one's. */
  readonly firstStartMs: number
}

/** Ponto as it is run: `ponto up`, deployments from a file, HTTPS and HTTP open, the built-in model's engine beside it. */
export async function startPonto(upstreamPort: number): Promise<StartedPonto> {
  const folder = await mkdtemp(join(tmpdir(), 'ponto-bench-'))
  const configFile = join(folder, 'ponto.yaml')
  writeFileSync(configFile, writeConfig(upstreamPort))
  const start = async () => {
    const spawnedMs = performance.now()
    const server = await startServer({ dataFolder: join(folder, 'data'), args: ['--config', configFile] })
    return { server, startMs: performance.now() - spawnedMs }
  }
  const first = await start()
  await first.server.stop()
  const { server, startMs } = await start()
  await waitUntilReady(server.httpUrl)

  const common = { port: Number(new URL(server.httpUrl).port), pid: server.pid, model: deploymentName }
  const relay: Target = {
    ...common,
    name: 'Ponto, relay',
    path: '/openai/v1/chat/completions',
    headers: { 'api-key': server.key },
  }
  const crossing: Target = {
    ...common,
    name: 'Ponto, crossing',
    path: '/models/chat/completions?api-version=2024-05-01-preview',
    headers: { 'api-key': server.key },
  }
  return {
    targets: [relay, crossing],
    startMs,
    firstStartMs: first.startMs,
    async stop() {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Differs from the upstream's own name, so that the name has to be exchanged in every request. */
const deploymentName = (workload: Workload) => `Bench-${workload}`

function writeConfig(upstreamPort: number): string {
  const workloads: readonly Workload[] = ['chat', 'stream', 'paced']
  return JSON.stringify({
    deployments: workloads.map((workload) => ({
      name: deploymentName(workload),
      model: { name: workload },
      backends: [{ url: `http://127.0.0.1:${upstreamPort}/v1`, model: workload }],
    })),
  })
}

/** The engine's start must not fall into the measurement. A server without one is ready at once. */
async function waitUntilReady(url: string): Promise<void> {
  const endMs = performance.now() + 10_000
  while (performance.now() < endMs) {
    if ((await fetch(`${url}/health/ready`)).ok) return
    await Bun.sleep(20)
  }
  throw new Error('Ponto did not become ready within 10 s')
}
