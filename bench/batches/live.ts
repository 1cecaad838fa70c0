import { join } from 'node:path'
import { type BatchView, hasEnded, waitForBatch } from '../../test/support/batches/client.ts'
import { writeInput } from '../../test/support/batches/input.ts'
import { startChild } from '../load/child.ts'
import type { Run, RunResult } from '../load/generate.ts'
import { readCost } from '../load/process-cost.ts'
import { writeRequest } from '../load/target.ts'
import { openWorld } from './rate.ts'

export type LiveOptions = {
  readonly pairs: number
  readonly runMs: number
  readonly connections: number
  /** Between an answer and the next request of a connection; 0 for as much as the machine can do. */
  readonly pauseMs: number
  readonly policy: string
}

/** A run and what it cost the server, in all its threads. */
type Costed = RunResult & { readonly cpuUs: number }
type Pair = { readonly without: Costed; readonly with: Costed; readonly lines: number }

/** So many that none of the runs sees the end of them. */
const lines = 40_000
const lineBytes = 700
const warmUpMs = 4_000
/** What validation leaves behind, and lines that ran before the first caller came, are no part of it. */
const settleMs = 1_500

/** What callers notice of a batch that goes as fast as it may beside them: runs without and with one, in turn. */
export async function measureLive(options: LiveOptions): Promise<boolean> {
  const { pairs, runMs, connections, pauseMs, policy } = options
  const world = await openWorld(policy)
  const generator = await startChild('generate.ts')
  const { client, server, folder } = world
  try {
    const path = join(folder, 'input.jsonl')
    await writeInput(path, { deployment: 'bench', lines, lineBytes, prefix: 'live' })
    const { id: inputId } = await client.upload(path)
    const target = {
      name: 'live',
      port: Number(new URL(server.httpUrl).port),
      pid: server.pid,
      path: '/openai/v1/chat/completions',
      headers: { 'api-key': server.key },
      model: () => 'bench',
    }
    const load = async (forMs: number): Promise<Costed> => {
      const common = { port: target.port, connections, maxRequests: 1e6, pauseMs }
      const run: Run = { ...common, request: writeRequest(target, 'chat'), forMs }
      const before = readCost(server.pid).cpuUs
      const result = (await generator.ask(run)) as RunResult
      return { ...result, cpuUs: readCost(server.pid).cpuUs - before }
    }
    const startBatch = async (): Promise<BatchView> => {
      const { id } = await client.create(inputId)
      return waitForBatch(client, id, ({ status }) => status !== 'validating')
    }
    const endBatch = async ({ id }: BatchView): Promise<void> => {
      await client.cancel(id)
      await waitForBatch(client, id, hasEnded)
      // What it leaves to be tidied up.
      await Bun.sleep(1_500)
    }

    await load(warmUpMs)
    const warm = await startBatch()
    await load(warmUpMs)
    await endBatch(warm)

    const all: Pair[] = []
    for (let number = 0; number < pairs; number++) {
      const runWithout = async () => {
        await load(settleMs)
        return load(runMs)
      }
      const runWith = async () => {
        const batch = await startBatch()
        await load(settleMs)
        const before = (await client.get(batch.id)).request_counts.completed
        const result = await load(runMs)
        const after = await client.get(batch.id)
        if (after.status !== 'in_progress') throw new Error(`the batch is ${after.status} too early`)
        await endBatch(batch)
        return { result, lines: after.request_counts.completed - before }
      }
      // Whichever is first has another machine before it.
      const first = number % 2 === 0 ? await runWithout() : undefined
      const beside = await runWith()
      all.push({ without: first ?? (await runWithout()), with: beside.result, lines: beside.lines })
      console.error(describePair(all.at(-1) as Pair))
    }
    report(all, options)
    return all.every(({ lines: done }) => done > 0)
  } finally {
    await generator.stop()
    await world.stop()
  }
}

const rate = ({ requests, elapsedMs }: RunResult): number => (requests * 1000) / elapsedMs

function describePair(pair: Pair): string {
  const show = (run: Costed) =>
    `p50 ${run.p50Us.toFixed(0)} p99 ${run.p99Us.toFixed(0)} us, ${rate(run).toFixed(0)}/s, ${(run.cpuUs / 10 / run.elapsedMs).toFixed(1)} % CPU`
  const ratio = (pair.with.p99Us / pair.without.p99Us).toFixed(2)
  return `without ${show(pair.without)}; with ${show(pair.with)}, ${linesPerSecond(pair).toFixed(0)} lines/s; p99 ratio ${ratio}`
}

/** What a line adds, whatever it is spent on. */
const cpuPerLine = (pair: Pair): number =>
  (pair.with.cpuUs - (pair.without.cpuUs * pair.with.requests) / pair.without.requests) / pair.lines

const linesPerSecond = (pair: Pair): number => (pair.lines * 1000) / pair.with.elapsedMs

function report(pairs: readonly Pair[], { connections, pauseMs, runMs, policy }: LiveOptions): void {
  const median = (pick: (pair: Pair) => number): number => {
    const sorted = pairs.map(pick).toSorted((a, b) => a - b)
    return (
      ((sorted[Math.floor((sorted.length - 1) / 2)] as number) +
        (sorted[Math.ceil((sorted.length - 1) / 2)] as number)) /
      2
    )
  }
  const p99 = [median((pair) => pair.without.p99Us), median((pair) => pair.with.p99Us)] as const
  const p50 = [median((pair) => pair.without.p50Us), median((pair) => pair.with.p50Us)] as const
  const pace = pauseMs === 0 ? 'as fast as they can' : `${pauseMs} ms between two calls`
  console.log(`${pairs.length} pairs of ${runMs / 1000} s, ${connections} callers, ${pace}, filter ${policy}`)
  console.log(
    `live: ${median((pair) => rate(pair.without)).toFixed(0)} -> ${median((pair) => rate(pair.with)).toFixed(0)} requests/s; batch: ${median(linesPerSecond).toFixed(0)} lines/s, ${median(cpuPerLine).toFixed(0)} us CPU a line`,
  )
  console.log(`median p50: ${p50[0].toFixed(0)} -> ${p50[1].toFixed(0)} us, ratio ${(p50[1] / p50[0]).toFixed(2)}`)
  console.log(
    `median p99: ${p99[0].toFixed(0)} -> ${p99[1].toFixed(0)} us, ratio ${(p99[1] / p99[0]).toFixed(2)}; median of the ratios ${median((pair) => pair.with.p99Us / pair.without.p99Us).toFixed(2)}`,
  )
}
