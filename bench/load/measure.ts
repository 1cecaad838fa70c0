import { type Child, startChild } from './child.ts'
import type { Run, RunResult } from './generate.ts'
import { readCost } from './process-cost.ts'
import { startNginx } from './start-nginx.ts'
import { startPonto } from './start-ponto.ts'
import { startRelay } from './start-relay.ts'
import { directTarget, type Started, type Target, writeRequest } from './target.ts'
import { verifyTarget } from './verify.ts'
import { eventsPerStream, type Workload } from './workloads.ts'

export type Plan = {
  /** Before the first round, of each target. The compilers of a JavaScript engine need tens of thousands of requests. */
  readonly warmUpMs: number
  readonly rounds: number
  readonly chatMs: number
  readonly streamMs: number
  /** Streams of one paced run, all at once; 0 leaves it out. */
  readonly pacedStreams: number
  readonly latencyMs: number
}

/** What was measured of one target. Undefined where the plan leaves it out or, for `direct`, nothing stands between. */
export type Figures = {
  readonly name: string
  readonly cpuUsPerRequest: number
  readonly cpuUsPerEvent: number
  readonly cpuUsPerPacedEvent: number | undefined
  readonly requestsPerSecond: number
  readonly eventsPerSecond: number
  /** Latency at one connection, beyond that of asking the upstream directly. */
  readonly addedP50Us: number
  readonly idleRssBytes: number
  readonly loadedRssBytes: number
  readonly startMs: number
  readonly firstStartMs: number | undefined
  /** CPU time per request, of each round. */
  readonly cpuUsPerRequestByRound: readonly number[]
}

export type Measured = {
  readonly plan: Plan
  readonly directP50Us: number
  readonly figures: readonly Figures[]
  readonly hasNginx: boolean
}

const chatConnections = 32
const streamConnections = 16

type Sample = RunResult & { readonly cpuUs: number }
type Samples = { chat: Sample[]; stream: Sample[]; paced: Sample[]; latency: Sample[] }

/** Starts everything, measures in rounds in which every target has its turn, and stops everything, also when it fails. */
export async function measure(plan: Plan, tell: (text: string) => void): Promise<Measured> {
  const upstream = await startChild('mock-upstream.ts')
  const generator = await startChild('generate.ts')
  const started: (Started & { firstStartMs?: number })[] = []
  const endProcesses = () => {
    for (const { targets } of started) process.kill(targets[0]?.pid as number)
  }
  process.once('exit', endProcesses)
  try {
    const upstreamPort = upstream.ready as number
    const nginx = await startNginx(upstreamPort)
    if (nginx) started.push(nginx)
    else tell('nginx is not installed (on Debian: apt-get install nginx-light), so there is no baseline of it.')
    started.push(await startRelay(upstreamPort))
    started.push(await startPonto(upstreamPort))

    const direct = directTarget(upstreamPort)
    const targets = started.flatMap((one) => one.targets)
    await Promise.all([direct, ...targets].map(verifyTarget))
    const idleRss = new Map(targets.map((target) => [target, readCost(target.pid as number).rssBytes]))

    tell('warming up')
    for (const target of targets) await warmUp(generator, target, plan)
    const samples = new Map([direct, ...targets].map((target) => [target, emptySamples()]))
    for (let round = 1; round <= plan.rounds; round++) {
      tell(`round ${round} of ${plan.rounds}`)
      await runLatency(generator, direct, plan, samples.get(direct) as Samples)
      for (const target of targets) await runRound(generator, target, plan, samples.get(target) as Samples)
    }

    const directP50Us = median((samples.get(direct) as Samples).latency.map(({ p50Us }) => p50Us))
    const figures = started.flatMap(({ targets: own, startMs, firstStartMs }) =>
      own.map((target) => ({
        ...summarize(target.name, samples.get(target) as Samples, directP50Us),
        idleRssBytes: idleRss.get(target) as number,
        loadedRssBytes: readCost(target.pid as number).rssBytes,
        startMs,
        firstStartMs,
      })),
    )
    return { plan, directP50Us, figures, hasNginx: nginx !== undefined }
  } finally {
    await Promise.all([...started, generator, upstream].map((one) => one.stop()))
    process.off('exit', endProcesses)
  }
}

const emptySamples = (): Samples => ({ chat: [], stream: [], paced: [], latency: [] })

async function warmUp(generator: Child, target: Target, { warmUpMs }: Plan): Promise<void> {
  await runOnce(generator, target, 'chat', { connections: chatConnections, forMs: warmUpMs * 0.75 })
  await runOnce(generator, target, 'stream', { connections: streamConnections, forMs: warmUpMs * 0.25 })
}

async function runRound(generator: Child, target: Target, plan: Plan, into: Samples): Promise<void> {
  const { chatMs, streamMs, pacedStreams } = plan
  await runLatency(generator, target, plan, into)
  into.chat.push(await runOnce(generator, target, 'chat', { connections: chatConnections, forMs: chatMs }))
  into.stream.push(await runOnce(generator, target, 'stream', { connections: streamConnections, forMs: streamMs }))
  if (pacedStreams === 0) return
  const once = { connections: pacedStreams, forMs: 10_000, maxRequests: pacedStreams }
  into.paced.push(await runOnce(generator, target, 'paced', once))
}

async function runLatency(generator: Child, target: Target, plan: Plan, into: Samples): Promise<void> {
  into.latency.push(await runOnce(generator, target, 'chat', { connections: 1, forMs: plan.latencyMs }))
}

async function runOnce(
  generator: Child,
  target: Target,
  workload: Workload,
  shape: Pick<Run, 'connections' | 'forMs'> & { maxRequests?: number },
): Promise<Sample> {
  const run: Run = { maxRequests: 1e6, ...shape, port: target.port, request: writeRequest(target, workload) }
  const before = target.pid === undefined ? 0 : readCost(target.pid).cpuUs
  const result = (await generator.ask(run)) as RunResult
  return { ...result, cpuUs: target.pid === undefined ? 0 : readCost(target.pid).cpuUs - before }
}

/**
 * CPU time is summed over the rounds, since the kernel counts it in steps that are long beside one round; rates and latencies are
 * the median round's.
 */
function summarize(name: string, samples: Samples, directP50Us: number) {
  const { chat, stream, paced, latency } = samples
  return {
    name,
    cpuUsPerRequest: cpuPer(chat),
    cpuUsPerEvent: cpuPer(stream) / eventsPerStream,
    cpuUsPerPacedEvent: paced.length > 0 ? cpuPer(paced) / eventsPerStream : undefined,
    requestsPerSecond: median(chat.map(rate)),
    eventsPerSecond: median(stream.map(rate)) * eventsPerStream,
    addedP50Us: median(latency.map(({ p50Us }) => p50Us)) - directP50Us,
    cpuUsPerRequestByRound: chat.map((sample) => cpuPer([sample])),
  }
}

const rate = ({ requests, elapsedMs }: Sample): number => (requests * 1000) / elapsedMs

function cpuPer(samples: readonly Sample[]): number {
  const total = (pick: (sample: Sample) => number) => samples.reduce((sum, sample) => sum + pick(sample), 0)
  return total(({ cpuUs }) => cpuUs) / total(({ requests }) => requests)
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  if (sorted.length % 2 === 1) return sorted[middle] as number
  return ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}
