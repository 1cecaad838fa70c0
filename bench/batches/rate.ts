import { rmSync, writeFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BatchClient, type BatchView, createBatchClient, waitForBatch } from '../../test/support/batches/client.ts'
import { writeInput } from '../../test/support/batches/input.ts'
import { type ServerProcess, startServer } from '../../test/support/server-process.ts'
import { startChild } from '../load/child.ts'
import { readCost } from '../load/process-cost.ts'
import { answerText } from '../load/workloads.ts'

export type RateOptions = {
  readonly lines: number
  readonly lineBytes: number
  /** The filter of the deployment. */
  readonly policy: string
  readonly env?: Readonly<Record<string, string>>
}

const mib = 1024 * 1024

/**
 * A batch as large as one may be, against an upstream that costs next to nothing: how long its validation takes and by how much the server
 * grows meanwhile, and how fast its lines go after that and what one costs.
 */
export async function measureRate({ lines, lineBytes, policy, env }: RateOptions): Promise<boolean> {
  const world = await openWorld(policy, env)
  const { client, server, folder, upstreamPid } = world
  try {
    const path = join(folder, 'input.jsonl')
    const bytes = await writeInput(path, { deployment: 'bench', lines, lineBytes, prefix: 'rate' })
    const rss = watchRss(server.pid)
    const beforeUpload = rss.now()
    const uploadStart = performance.now()
    const file = await client.upload(path)
    const uploadMs = performance.now() - uploadStart
    const uploadPeak = rss.takePeak()
    await Bun.sleep(2_000)
    const before = rss.now()
    rss.takePeak()

    const validateCpu = readCost(server.pid).cpuUs
    const createdAt = performance.now()
    const { id } = await client.create(file.id)
    const isPast = (state: string) => (batch: BatchView) => batch.status !== state
    const running = await waitForBatch(client, id, isPast('validating'), 120_000, 10)
    const runAt = performance.now()
    const runCost = readCost(server.pid).cpuUs
    const upstreamCost = readCost(upstreamPid).cpuUs
    const validatePeak = rss.takePeak()
    if (running.status !== 'in_progress') throw new Error(`the batch is ${JSON.stringify(running)}`)
    tell(`input: ${lines} lines, ${(bytes / mib).toFixed(1)} MiB, filter ${policy}`)
    tell(`upload: ${(uploadMs / 1000).toFixed(1)} s, RSS ${showGrowth(beforeUpload, uploadPeak)}`)
    const seconds = (runAt - createdAt) / 1000
    const cpuMs = (runCost - validateCpu) / 1000
    tell(
      `validation: ${seconds.toFixed(2)} s (${(lines / seconds).toFixed(0)} lines/s), ${(cpuMs / lines).toFixed(4)} ms CPU a line, RSS ${showGrowth(before, validatePeak)}`,
    )

    const afterLines = await waitForBatch(client, id, isPast('in_progress'), 600_000, 50)
    const finalAt = performance.now()
    const finalCost = readCost(server.pid).cpuUs
    const upstreamUs = readCost(upstreamPid).cpuUs - upstreamCost
    const runSeconds = (finalAt - runAt) / 1000
    tell(
      `running: ${runSeconds.toFixed(2)} s, ${(lines / runSeconds).toFixed(0)} lines/s, ${((finalCost - runCost) / 1000 / lines).toFixed(4)} ms CPU a line (upstream ${(upstreamUs / 1000 / lines).toFixed(4)}), RSS ${showGrowth(before, rss.takePeak())}`,
    )
    const ended = await waitForBatch(client, id, ({ status }) => status === 'completed', 120_000, 10)
    const endSeconds = (performance.now() - finalAt) / 1000
    const endMs = (readCost(server.pid).cpuUs - finalCost) / 1000
    tell(
      `finalizing (was ${afterLines.status}): ${endSeconds.toFixed(2)} s, ${(endMs / lines).toFixed(4)} ms CPU a line, RSS ${showGrowth(before, rss.takePeak())}`,
    )
    const allSeconds = (performance.now() - createdAt) / 1000
    tell(
      `end to end: ${allSeconds.toFixed(2)} s, ${(lines / allSeconds).toFixed(0)} lines/s, ${((readCost(server.pid).cpuUs - validateCpu) / 1000 / lines).toFixed(4)} ms CPU a line; ${JSON.stringify(ended.request_counts)}`,
    )
    rss.stop()
    return await isWhole(client, ended, lines)
  } finally {
    await world.stop()
  }
}

/** A fast wrong answer is worth nothing. */
async function isWhole(client: BatchClient, batch: BatchView, lines: number): Promise<boolean> {
  const text = await client.readContent(batch.output_file_id ?? '')
  const ids = new Set<string>()
  for (const line of text.trimEnd().split('\n')) {
    const { custom_id: customId, response } = JSON.parse(line)
    if (response.body.choices[0].message.content === answerText) ids.add(customId)
  }
  const isRight = ids.size === lines && batch.request_counts.completed === lines
  if (!isRight) tell(`WRONG: ${ids.size} of ${lines} lines are answered`)
  return isRight
}

function tell(text: string): void {
  console.log(text)
}

function showGrowth(from: number, to: number): string {
  return `${(from / mib).toFixed(0)} -> ${(to / mib).toFixed(0)} MiB (+${((to - from) / mib).toFixed(0)})`
}

export type BatchWorld = {
  readonly client: BatchClient
  readonly server: ServerProcess
  readonly folder: string
  readonly upstreamPid: number
  stop(): Promise<void>
}

/** A server with one deployment, `bench`, whose upstream answers at once. */
export async function openWorld(policy: string, env: Readonly<Record<string, string>> = {}): Promise<BatchWorld> {
  const upstream = await startChild('mock-upstream.ts')
  const folder = await mkdtemp(join(tmpdir(), 'ponto-bench-'))
  const config = join(folder, 'ponto.yaml')
  const deployment = {
    name: 'bench',
    model: { name: 'm' },
    raiPolicyName: policy,
    backends: [{ url: `http://127.0.0.1:${upstream.ready}/v1`, model: 'chat' }],
  }
  writeFileSync(config, JSON.stringify({ deployments: [deployment] }))
  const server = await startServer({ dataFolder: join(folder, 'data'), args: ['--config', config], env })
  return {
    client: createBatchClient(() => server),
    server,
    folder,
    upstreamPid: upstream.pid,
    async stop() {
      await server.stop()
      await upstream.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Looks at the server's memory again and again. */
function watchRss(pid: number) {
  let peak = 0
  const now = () => readCost(pid).rssBytes
  const look = () => {
    peak = Math.max(peak, now())
  }
  const timer = setInterval(look, 50)
  return {
    now,
    /** The most since the last call. */
    takePeak(): number {
      look()
      const taken = peak
      peak = 0
      return taken
    },
    stop: () => clearInterval(timer),
  }
}
