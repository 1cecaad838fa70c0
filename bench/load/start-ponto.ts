import { rmSync, writeFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ServerProcess, startServer } from '../../test/support/server-process.ts'
import type { Started, Target } from './target.ts'
import type { Workload } from './workloads.ts'

export const relayName = 'Ponto, relay'
export const limitedName = 'Ponto with limits'
export const filteredName = 'Ponto with filters'

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
  const limitedKey = await createLimitedKey(first.server)
  await first.server.stop()
  const { server, startMs } = await start()
  await waitUntilReady(server.httpUrl)

  const common = { port: Number(new URL(server.httpUrl).port), pid: server.pid }
  const relay: Target = {
    ...common,
    name: relayName,
    path: '/openai/v1/chat/completions',
    headers: { 'api-key': server.key },
    model: openDeployment,
  }
  const limited: Target = {
    ...relay,
    name: limitedName,
    headers: { 'api-key': limitedKey },
    model: limitedDeployment,
    answerHeaders: ['x-ratelimit-remaining-tokens', 'x-ratelimit-remaining-requests'],
  }
  const filtered: Target = {
    ...relay,
    name: filteredName,
    model: filteredDeployment,
    answerHeaders: ['x-content-filter-engine'],
    ownEvents: 2,
  }
  const crossing: Target = {
    ...relay,
    name: 'Ponto, crossing',
    path: '/models/chat/completions?api-version=2024-05-01-preview',
  }
  return {
    targets: [relay, limited, filtered, crossing],
    startMs,
    firstStartMs: first.startMs,
    async stop() {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const workloads: readonly Workload[] = ['chat', 'stream', 'paced']

/** Differs from the upstream's own name, so that the name has to be exchanged in every request. */
const openDeployment = (workload: Workload) => `Bench-${workload}`
const limitedDeployment = (workload: Workload) => `Limited-${workload}`
const filteredDeployment = (workload: Workload) => `Filtered-${workload}`

/** So much that nothing is ever refused: what is measured is the counting. */
const plenty = 1e12

function writeConfig(upstreamPort: number): string {
  const deployments = workloads.flatMap((workload) => {
    const common = {
      model: { name: workload },
      backends: [{ url: `http://127.0.0.1:${upstreamPort}/v1`, model: workload }],
      raiPolicyName: 'Microsoft.Nil',
    }
    const limits = {
      sku: { name: 'GlobalStandard', capacity: 1 },
      rateLimits: [
        { key: 'token', renewalPeriod: 60, count: plenty },
        { key: 'request', renewalPeriod: 10, count: plenty },
      ],
      price: { inputPerMillion: 2.5, cachedInputPerMillion: 1.25, outputPerMillion: 10 },
    }
    return [
      { ...common, name: openDeployment(workload) },
      { ...common, ...limits, name: limitedDeployment(workload) },
      { ...common, raiPolicyName: 'Microsoft.DefaultV2', name: filteredDeployment(workload) },
    ]
  })
  return JSON.stringify({ deployments })
}

/** A key that may use what has limits, and has limits and a budget of its own. Resolves to its secret. */
async function createLimitedKey(server: ServerProcess): Promise<string> {
  const flags = [
    ...workloads.flatMap((workload) => ['--deployment', limitedDeployment(workload)]),
    ...['tokens', 'requests'].flatMap((unit) => [`--${unit}-per-minute`, String(plenty)]),
    ...['--budget', `tokens/day=${plenty}`],
  ]
  const { code, stdout, stderr } = await server.run(['key', 'create', 'bench', ...flags, '--output', 'json'])
  if (code !== 0) throw new Error(`no key could be made: ${stderr}`)
  return JSON.parse(stdout).secret
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
