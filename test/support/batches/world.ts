import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeTempFolder, removeFolder, type ServerProcess, startServer } from '../server-process.ts'
import { type BatchClient, type BatchView, createBatchClient, hasEnded, waitForBatch } from './client.ts'
import { type InputShape, writeInput } from './input.ts'
import type { UnevenUpstream } from './upstream.ts'

/** A server of its own with one deployment, `work`, that can be killed and started again on the same data. */
export type BatchWorld = {
  readonly folder: string
  readonly client: BatchClient
  server(): ServerProcess
  /** Writes and uploads an input, and makes a batch of it. */
  submit(shape: Omit<InputShape, 'deployment'>): Promise<{ readonly batch: BatchView; readonly inputId: string }>
  /** `kill -9`, and another start. */
  killAndStart(): Promise<void>
  remove(): Promise<void>
}

/** `wrapper`: what the server is started by, as `startServer` has it. */
export async function createBatchWorld(
  upstream: Pick<UnevenUpstream, 'url'>,
  wrapper: (dataFolder: string) => readonly string[] = () => [],
): Promise<BatchWorld> {
  const folder = makeTempFolder()
  const config = join(folder, 'ponto.yaml')
  const backends = [{ url: `${upstream.url}/v1` }]
  const deployment = { name: 'work', model: { name: 'm' }, raiPolicyName: 'Microsoft.Nil', backends }
  writeFileSync(config, JSON.stringify({ deployments: [deployment] }))
  const dataFolder = join(folder, 'data')
  const start = () => startServer({ dataFolder, args: ['--config', config], wrapper: wrapper(dataFolder) })
  let server = await start()
  const client = createBatchClient(() => server)
  return {
    folder,
    client,
    server: () => server,
    async submit(shape) {
      const path = join(folder, `${shape.prefix}.jsonl`)
      await writeInput(path, { ...shape, deployment: 'work' })
      const { id: inputId } = await client.upload(path)
      return { batch: await client.create(inputId), inputId }
    },
    async killAndStart() {
      await server.stop('SIGKILL')
      server = await start()
    },
    async remove() {
      await server.stop('SIGKILL')
      removeFolder(folder)
    },
  }
}

export type Phase = 'validating' | 'in_progress' | 'finalizing'

export type Killed = {
  /** Where the batch was when the server came back. */
  readonly found: string
  readonly completed: number
  /** From the kill until something happened to the batch; undefined where it had ended before. */
  readonly resumedAfterMs: number | undefined
}

/**
 * Kills the server so long after the batch came to a phase, starts it again, and waits until the batch goes on. undefined when the batch
 * went through that phase unseen.
 */
export async function killWithin(
  world: BatchWorld,
  upstream: UnevenUpstream,
  id: string,
  prefix: string,
  phase: Phase,
  afterMs: number,
): Promise<Killed> {
  const { client } = world
  const reached = await waitForBatch(client, id, (batch) => hasPassed(batch, phase), 150_000, 2)
  if (reached.status === phase) await Bun.sleep(afterMs)
  const countAsked = () => {
    let count = 0
    for (const [customId, times] of upstream.asked) if (customId.startsWith(`${prefix}-`)) count += times
    return count
  }
  const killedAt = performance.now()
  await world.killAndStart()
  const found = await client.get(id)
  const askedBefore = countAsked()
  const isMoving = (batch: BatchView): boolean =>
    countAsked() > askedBefore ||
    batch.status !== found.status ||
    batch.request_counts.total !== found.request_counts.total
  const isOver = hasEnded(found)
  if (!isOver) await waitForBatch(client, id, isMoving, 120_000, 50)
  return {
    found: found.status,
    completed: found.request_counts.completed,
    resumedAfterMs: isOver ? undefined : performance.now() - killedAt,
  }
}

const order = ['validating', 'in_progress', 'finalizing']

function hasPassed(batch: BatchView, phase: Phase): boolean {
  return hasEnded(batch) || order.indexOf(batch.status) >= order.indexOf(phase)
}
