import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeTempFolder, removeFolder, type ServerProcess, startServer } from '../server-process.ts'
import { type BatchClient, type BatchView, createBatchClient, hasEnded, waitForBatch } from './client.ts'
import { type InputShape, writeInput } from './input.ts'
import type { StorePlace } from './stores.ts'
import type { UnevenUpstream } from './upstream.ts'

/** Servers of its own with one deployment, `work`, that can be killed and started again on the same data. */
export type BatchWorld = {
  readonly folder: string
  /** Asks the first server that runs. */
  readonly client: BatchClient
  /** That one. */
  server(): ServerProcess
  /** All that run. */
  servers(): readonly ServerProcess[]
  /** Writes and uploads an input, and makes a batch of it. */
  submit(shape: Omit<InputShape, 'deployment'>): Promise<{ readonly batch: BatchView; readonly inputId: string }>
  /** `kill -9` of the server that is asked, and another start. */
  killAndStart(): Promise<void>
  /** `kill -9` of the server with that process id, for good. */
  kill(pid: number): Promise<void>
  remove(): Promise<void>
}

export type BatchWorldOptions = Partial<StorePlace> & {
  /** What a server is started by, as `startServer` has it. */
  readonly wrapper?: (dataFolder: string) => readonly string[]
  /** How many, on stores that they share. 1 when absent. */
  readonly servers?: number
  /** What the deployment's backend has besides an address, or another address. */
  readonly backend?: object
  readonly raiPolicyName?: string
  /** What else the configuration has. */
  readonly config?: object
}

export async function createBatchWorld(
  upstream: Pick<UnevenUpstream, 'url'>,
  {
    wrapper = () => [],
    env = {},
    args = [],
    servers: count = 1,
    backend,
    raiPolicyName = 'Microsoft.Nil',
    config: more = {},
  }: BatchWorldOptions = {},
): Promise<BatchWorld> {
  const folder = makeTempFolder()
  const config = join(folder, 'ponto.yaml')
  const backends = [{ url: `${upstream.url}/v1`, ...backend }]
  const deployment = { name: 'work', model: { name: 'm' }, raiPolicyName, backends }
  writeFileSync(config, JSON.stringify({ ...more, deployments: [deployment] }))
  const keyFile = join(folder, 'secret.key')
  writeFileSync(keyFile, randomBytes(32), { mode: 0o600 })
  const start = (dataFolder: string) =>
    startServer({
      dataFolder,
      env,
      args: ['--config', config, '--secret-key-file', keyFile, ...args],
      wrapper: wrapper(dataFolder),
    })
  const running: ServerProcess[] = []
  for (let number = 0; number < count; number++) running.push(await start(join(folder, `data-${number}`)))
  const server = () => running[0] as ServerProcess
  const client = createBatchClient(server)
  return {
    folder,
    client,
    server,
    servers: () => running,
    async submit(shape) {
      const path = join(folder, `${shape.prefix}.jsonl`)
      await writeInput(path, { ...shape, deployment: 'work' })
      const { id: inputId } = await client.upload(path)
      return { batch: await client.create(inputId), inputId }
    },
    async killAndStart() {
      const { dataFolder } = server()
      await server().stop('SIGKILL')
      running[0] = await start(dataFolder)
    },
    async kill(pid) {
      const [killed] = running.splice(
        running.findIndex((one) => one.pid === pid),
        1,
      )
      await killed?.stop('SIGKILL')
    },
    async remove() {
      await Promise.all(running.map((one) => one.stop('SIGKILL')))
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
