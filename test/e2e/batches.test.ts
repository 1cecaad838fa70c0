import { Database } from 'bun:sqlite'
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { checkFiles, findOrphans } from '../support/batches/check-files.ts'
import { type BatchView, hasEnded, waitForBatch } from '../support/batches/client.ts'
import { startUnevenUpstream, type UnevenUpstream } from '../support/batches/upstream.ts'
import { type BatchWorld, createBatchWorld, killWithin, type Phase } from '../support/batches/world.ts'
import { makeTempFolder, removeFolder } from '../support/server-process.ts'

/**
 * Servers in the middle of a batch that are killed, whose database is held and whose disk is full: every line has one result in the end.
 */

const lineBytes = 600
const limitMs = 200_000
/** A short phase may be over before the kill; then another batch is tried. */
const mostTries = 5

let upstream: UnevenUpstream
const worlds: BatchWorld[] = []

beforeAll(async () => {
  upstream = await startUnevenUpstream()
})
afterAll(async () => {
  await Promise.all(worlds.map((world) => world.remove()))
  await upstream?.stop()
}, 60_000)

async function open(wrapper?: (dataFolder: string) => readonly string[]): Promise<BatchWorld> {
  const world = await createBatchWorld(upstream, { ...(wrapper && { wrapper }) })
  worlds.push(world)
  return world
}

/** That the batch came to a good end, with every line once in one of its files. */
async function expectWhole(world: BatchWorld, id: string, prefix: string, lines: number): Promise<BatchView> {
  const ended = await waitForBatch(world.client, id, hasEnded)
  expect(ended).toMatchObject({ status: 'completed', errors: null })
  expect((await checkFiles(world.client, ended, { prefix, lines })).wrong).toEqual([])
  return ended
}

/** A phase, how large the batch is, and for how long it may be in it before the kill. */
const kills: readonly (readonly [Phase, number, number])[] = [
  ['validating', 12_000, 150],
  ['in_progress', 4_000, 1_500],
  ['finalizing', 6_000, 15],
]

for (const [phase, lines, mostMs] of kills) {
  test.concurrent(
    `kill -9 of a batch that is ${phase}: every line once, and no file without a batch`,
    async () => {
      const world = await open()
      const inputIds: string[] = []
      const ended: BatchView[] = []
      let resumedAfterMs: number | undefined
      while (resumedAfterMs === undefined && ended.length < mostTries) {
        const prefix = `killed-${phase}-${ended.length}`
        const { batch, inputId } = await world.submit({ prefix, lines, lineBytes })
        inputIds.push(inputId)
        const afterMs = Math.random() * mostMs
        resumedAfterMs = (await killWithin(world, upstream, batch.id, prefix, phase, afterMs)).resumedAfterMs
        ended.push(await expectWhole(world, batch.id, prefix, lines))
      }
      expect(resumedAfterMs).toBeNumber()
      expect(await findOrphans(world.client, inputIds, ended)).toEqual([])
    },
    limitMs,
  )
}

test.concurrent(
  'killed while it is being cancelled: what was answered is in the files, once, and nothing else',
  async () => {
    const held = await startUnevenUpstream()
    try {
      const world = await createBatchWorld(held)
      worlds.push(world)
      const shape = { prefix: 'cancelled', lines: 4_000 }
      const { batch, inputId } = await world.submit({ ...shape, lineBytes })
      await waitForBatch(world.client, batch.id, ({ request_counts: counts }) => counts.completed > 500)
      // Those under way do not end, so that cancelling takes its time.
      held.hold = new Promise(() => {})
      expect((await world.client.cancel(batch.id)).status).toBe('cancelling')
      await world.killAndStart()
      expect((await world.client.get(batch.id)).status).toBe('cancelling')
      const ended = await waitForBatch(world.client, batch.id, hasEnded)
      expect(ended.status).toBe('cancelled')
      const { output, wrong } = await checkFiles(world.client, ended, shape, true)
      expect(wrong).toEqual([])
      expect(output).toBeGreaterThan(500)
      expect(output).toBeLessThan(shape.lines)
      expect(await findOrphans(world.client, [inputId], [ended])).toEqual([])
    } finally {
      await held.stop()
    }
  },
  limitMs,
)

test.concurrent(
  'a database that another process holds for a while: the batch waits, and goes on',
  async () => {
    const world = await open()
    const [prefix, lines] = ['locked', 4_000]
    const { batch, inputId } = await world.submit({ prefix, lines, lineBytes })
    await waitForBatch(world.client, batch.id, ({ request_counts: counts }) => counts.completed > 500)
    const database = new Database(join(world.server().dataFolder, 'ponto.db'), { readwrite: true })
    try {
      database.run('pragma busy_timeout = 5000')
      database.run('begin exclusive')
      const { completed } = database.query('select completed from batch').get() as { completed: number }
      expect(completed).toBeLessThan(lines / 2)
      await Bun.sleep(12_000)
      database.run('rollback')
    } finally {
      database.close()
    }
    const ended = await expectWhole(world, batch.id, prefix, lines)
    expect(await findOrphans(world.client, [inputId], [ended])).toEqual([])
  },
  limitMs,
)

/** The data folder on a disk of its own, which only the server sees. */
const smallDisk = (dataFolder: string): readonly string[] => [
  'unshare',
  '-rm',
  'sh',
  '-c',
  'mount -t tmpfs -o size=64m tmpfs "$1" && shift && exec "$@"',
  'sh',
  dataFolder,
]

function canMount(): boolean {
  const folder = makeTempFolder()
  const [program = '', ...args] = smallDisk(folder)
  const { status } = spawnSync(program, [...args, 'true'])
  removeFolder(folder)
  return status === 0
}

/** Writes until nothing more goes in. */
function fillDisk(path: string): void {
  const file = openSync(path, 'w')
  try {
    for (const size of [1024 * 1024, 4096]) {
      const piece = Buffer.alloc(size)
      try {
        for (;;) writeSync(file, piece)
      } catch (error) {
        expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC')
      }
    }
  } finally {
    closeSync(file)
  }
}

test.concurrent.if(canMount())(
  'a full disk: uploads are refused and say why, the batch waits, and goes on when there is room',
  async () => {
    const world = await open((dataFolder) => {
      mkdirSync(dataFolder, { recursive: true })
      return smallDisk(dataFolder)
    })
    const [prefix, lines] = ['full', 4_000]
    const { batch, inputId } = await world.submit({ prefix, lines, lineBytes })
    await waitForBatch(world.client, batch.id, ({ request_counts: counts }) => counts.completed > 500)
    const { pid, dataFolder } = world.server()
    const ballast = join('/proc', String(pid), 'root', dataFolder, 'ballast')
    fillDisk(ballast)
    // What SQLite has in its log already, it can still use.
    await Bun.sleep(3_000)
    const before = await world.client.get(batch.id)
    expect(before.status).toBe('in_progress')
    await expect(world.client.upload(join(world.folder, `${prefix}.jsonl`))).rejects.toThrow(/507.*disk.*full/s)
    rmSync(ballast)
    const ended = await expectWhole(world, batch.id, prefix, lines)
    expect(await findOrphans(world.client, [inputId], [ended])).toEqual([])
  },
  limitMs,
)
