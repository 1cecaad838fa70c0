import { createFindings, type Findings } from './findings.ts'
import { deriveSeed } from './random.ts'
import { createRawClient, type RawClient } from './raw-client.ts'
import type { FuzzTarget } from './target.ts'
import { type Trial, type TrialPlace, tryRequest, tryStream } from './trial.ts'
import { type MemoryReport, watchLog, watchMemory } from './watch-server.ts'

export type CaseKind = 'request' | 'stream'

/** One case, with some of its mutations or all. */
export type CaseName = {
  readonly kind: CaseKind
  readonly index: number
  readonly keep?: readonly number[] | undefined
}

export type CampaignOptions = {
  readonly seed: number
  readonly requests: number
  readonly streams: number
  readonly lanes: number
  readonly onProgress?: (done: number, all: number, findings: number) => void
}

export type CampaignReport = {
  readonly findings: Findings['list']
  readonly memory: MemoryReport
  /** How many cases ended with which status, or how else, by kind of case. */
  readonly tally: Readonly<Record<CaseKind, Readonly<Record<string, number>>>>
  readonly seconds: number
}

/** So that requests and streams of one index have nothing in common. */
const streamSalt = 0x5eed

const logPeriodMs = 500
const samples = 300
/** Cases whose log lines may still be on their way. */
const rememberedIds = 20_000

/**
 * Sends mutated requests to a running server, and lets the scripted upstream give it mutated answers, both in turn so that memory
 * is watched under both. Ends early when the server is gone.
 */
export async function runCampaign(target: FuzzTarget, options: CampaignOptions): Promise<CampaignReport> {
  const { seed, requests, streams, lanes } = options
  const startedMs = performance.now()
  const findings = createFindings()
  const tally: Record<CaseKind, Record<string, number>> = { request: {}, stream: {} }
  const memory = watchMemory(target.readRss)
  const readLog = watchLog(target)
  const casesById = new Map<string, CaseName>()
  const all = requests + streams
  const sampleEvery = Math.ceil(all / samples)
  let next = 0
  let done = 0
  target.upstream.guard([target.key, target.managementCredential])

  async function work(lane: number): Promise<void> {
    const client = createRawClient(target.port)
    while (next < all && target.isAlive()) {
      const turn = next++
      const earlier = Math.floor((turn * streams) / all)
      const isStream = Math.floor(((turn + 1) * streams) / all) > earlier
      const name: CaseName = { kind: isStream ? 'stream' : 'request', index: isStream ? earlier : turn - earlier }
      await runOne(client, lane, name).catch((error) => noteOwnFailure(error, name))
      if (++done % sampleEvery === 0) {
        memory.sample(done / all)
        options.onProgress?.(done, all, findings.list.length)
      }
    }
    client.close()
  }

  async function runOne(client: RawClient, lane: number, name: CaseName): Promise<void> {
    const place = { target, client, lane }
    const trial = await tryCase(place, seed, name)
    const { outcome } = trial
    const end = outcome.kind === 'answer' ? String(outcome.answer.status) : outcome.kind
    const counts = tally[name.kind]
    counts[end] = (counts[end] ?? 0) + 1
    const id = outcome.kind === 'answer' ? outcome.answer.headers['x-request-id'] : undefined
    if (id !== undefined) remember(casesById, id, name)
    for (const complaint of trial.complaints) {
      const title = `${name.kind}: ${complaint.name}`
      if (!findings.note(title)) continue
      const small = await shrink(place, seed, name, complaint.name, trial)
      const { detail } = small.trial.complaints.find((other) => other.name === complaint.name) ?? complaint
      findings.describe(title, { detail, reproduce: describeCase(seed, small.name), input: small.trial.input })
    }
  }

  /** A fault of the fuzzer is no reason to end the run, and none to keep quiet about. */
  function noteOwnFailure(error: unknown, name: CaseName): void {
    const title = 'the fuzzer itself failed'
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error)
    if (findings.note(title)) findings.describe(title, { detail, reproduce: describeCase(seed, name), input: '' })
  }

  function checkLog(): void {
    for (const { name, detail, requestId } of readLog()) {
      if (!findings.note(name)) continue
      const origin = requestId === undefined ? undefined : casesById.get(requestId)
      const reproduce = origin ? describeCase(seed, origin) : 'unknown: the line names no request that was answered'
      findings.describe(name, { detail, reproduce, input: '' })
    }
  }

  const logTimer = setInterval(checkLog, logPeriodMs)
  await Promise.all(Array.from({ length: lanes }, (_, lane) => work(lane)))
  clearInterval(logTimer)
  checkLog()
  if (!target.isAlive()) {
    findings.note('the server is gone')
    findings.describe('the server is gone', {
      detail: target.errors().slice(-3000),
      reproduce: 'the last cases',
      input: '',
    })
  }
  for (const detail of target.upstream.takeComplaints(-1)) {
    if (findings.note('upstream'))
      findings.describe('upstream', { detail, reproduce: 'unknown: it names no lane', input: '' })
  }
  const report = memory.report()
  if (!report.isBounded) {
    findings.note('memory grows')
    findings.describe('memory grows', { detail: JSON.stringify(report), reproduce: 'the whole run', input: '' })
  }
  return { findings: findings.list, memory: report, tally, seconds: (performance.now() - startedMs) / 1000 }
}

/** One case again, as a finding names it. */
export function tryCase(place: TrialPlace, seed: number, { kind, index, keep }: CaseName): Promise<Trial> {
  const kept = keep && new Set(keep)
  return kind === 'request'
    ? tryRequest(place, deriveSeed(seed, index), kept)
    : tryStream(place, deriveSeed(seed ^ streamSalt, index), kept)
}

/** Leaves out what mutations it can with the complaint still there. */
async function shrink(
  place: TrialPlace,
  seed: number,
  name: CaseName,
  complaint: string,
  first: Trial,
): Promise<{ name: CaseName; trial: Trial }> {
  let keep = first.names.map((_, i) => i)
  let trial = first
  for (const dropped of [...keep]) {
    const fewer = keep.filter((i) => i !== dropped)
    const attempt = await tryCase(place, seed, { ...name, keep: fewer })
    if (!attempt.complaints.some((other) => other.name === complaint)) continue
    keep = fewer
    trial = attempt
  }
  return { name: { ...name, keep }, trial }
}

function describeCase(seed: number, { kind, index, keep }: CaseName): string {
  return `npm run fuzz -- --seed ${seed} --only ${kind}:${index}${keep ? ` --keep ${keep.join(',') || 'none'}` : ''}`
}

function remember(cases: Map<string, CaseName>, id: string, name: CaseName): void {
  cases.set(id, name)
  if (cases.size <= rememberedIds) return
  const [oldest] = cases.keys()
  if (oldest !== undefined) cases.delete(oldest)
}
