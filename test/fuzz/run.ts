import { parseArgs } from 'node:util'
import { type CampaignReport, type CaseKind, runCampaign, tryCase } from './campaign.ts'
import { formatFinding } from './findings.ts'
import { deriveSeed } from './random.ts'
import { createRawClient } from './raw-client.ts'
import { runSuite, type SuiteReport } from './suite.ts'
import { type SuiteKind, suiteKinds, suites } from './suites.ts'
import { startTarget } from './target.ts'
import { allowedGrowthBytes } from './watch-server.ts'

/**
 * `npm run fuzz -- --requests 100000 --streams 10000 --limits 20000 --manage 20000 --config 20000 --patterns 20000 --files 20000
 * --batches 50000 --seed N`: mutated requests to, and
 * mutated upstream answers for, a server of its own on loopback; then bursts of calls to deployments that are short of something, mutated
 * requests to the management API, mutated configuration files, hostile patterns, hostile files and requests for them, and hostile inputs of batches. 0 leaves one out. Progress on stderr, the summary on stdout; exit
 * code 1 when something was found. `--only request:N [--keep 0,2]` tries one case again, as a finding says.
 */

const lanes = 16

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '100000' },
    streams: { type: 'string', default: '10000' },
    limits: { type: 'string', default: '20000' },
    manage: { type: 'string', default: '20000' },
    config: { type: 'string', default: '20000' },
    patterns: { type: 'string', default: '20000' },
    files: { type: 'string', default: '20000' },
    batches: { type: 'string', default: '50000' },
    seed: { type: 'string' },
    only: { type: 'string' },
    keep: { type: 'string' },
  },
})
const seed = readCount('--seed', values.seed ?? String(Math.floor(Math.random() * 2 ** 31)))
process.exitCode = (await (values.only === undefined ? runAll() : runOne(values.only))) ? 0 : 1

async function runAll(): Promise<boolean> {
  const requests = readCount('--requests', values.requests)
  const streams = readCount('--streams', values.streams)
  const counts = suiteKinds.map((kind) => [kind, readCount(`--${kind}`, values[kind])] as const)
  let isClean = requests + streams === 0 || (await runRequests(requests, streams))
  for (const [kind, cases] of counts) if (cases > 0 && !(await runKind(kind, cases))) isClean = false
  return isClean
}

async function runKind(kind: SuiteKind, cases: number): Promise<boolean> {
  process.stderr.write(`seed ${seed}: ${cases} ${kind} cases\n`)
  const suite = await suites[kind]()
  try {
    const showProgress = createProgress()
    const onProgress = (done: number, all: number, findings: number) =>
      showProgress(() => `${done} of ${all}, ${findings} findings`)
    const report = await runSuite(suite, { seed, cases, onProgress })
    process.stdout.write(formatSuiteReport(report))
    return report.findings.length === 0
  } finally {
    await suite.close()
  }
}

/** Writes a line now and then. */
function createProgress(): (write: () => string) => void {
  let shownMs = performance.now()
  return (write) => {
    if (performance.now() - shownMs < 2000) return
    shownMs = performance.now()
    process.stderr.write(`${write()}\n`)
  }
}

async function runRequests(requests: number, streams: number): Promise<boolean> {
  process.stderr.write(`seed ${seed}: ${requests} requests, ${streams} upstream answers\n`)
  const target = await startTarget(lanes)
  try {
    const showProgress = createProgress()
    const onProgress = (done: number, all: number, findings: number): void =>
      showProgress(() => {
        const rss = target.readRss()
        const memory = rss === undefined ? '' : `, ${formatMegabytes(rss)} resident`
        return `${done} of ${all}, ${findings} findings${memory}`
      })
    const report = await runCampaign(target, { seed, requests, streams, lanes, onProgress })
    process.stdout.write(formatReport(report))
    return report.findings.length === 0
  } finally {
    await target.stop()
  }
}

async function runOne(only: string): Promise<boolean> {
  const match = /^(request|stream|limits|manage|config|patterns|files|batches):(\d+)$/.exec(only)
  if (!match)
    throw new Error(
      `--only: got ${only}, expected one such as request:N, stream:N, limits:N, manage:N, config:N, patterns:N, files:N or batches:N`,
    )
  const numbers = values.keep === 'none' ? [] : values.keep?.split(',').map(Number)
  const kind = suiteKinds.find((known) => known === match[1])
  if (kind) return runOneOf(kind, Number(match[2]), numbers)
  const target = await startTarget(1)
  const client = createRawClient(target.port)
  try {
    const name = { kind: match[1] as CaseKind, index: Number(match[2]), keep: numbers }
    const trial = await tryCase({ target, client, lane: 0 }, seed, name)
    const { outcome } = trial
    const seen =
      outcome.kind === 'answer'
        ? `${outcome.answer.head}\n\n${outcome.answer.body.toString().slice(0, 4000)}`
        : JSON.stringify(outcome)
    process.stdout.write(`${trial.input}\n\n--- the server:\n${seen}\n\n--- its log:\n${target.errors()}\n`)
    for (const { name: complaint } of trial.complaints) process.stdout.write(`COMPLAINT ${complaint}\n`)
    return trial.complaints.length === 0
  } finally {
    client.close()
    await target.stop()
  }
}

async function runOneOf(kind: SuiteKind, index: number, keep: readonly number[] | undefined): Promise<boolean> {
  const suite = await suites[kind]()
  try {
    const tried = await suite.tryCase(deriveSeed(seed, index), 0, keep && new Set(keep))
    process.stdout.write(`${tried.input}\n\n--- seen:\n${tried.seen}\n`)
    const complaints = [...tried.complaints, ...suite.look()]
    for (const { name, detail } of complaints) process.stdout.write(`COMPLAINT ${name}\n${detail}\n`)
    return complaints.length === 0
  } finally {
    await suite.close()
  }
}

function formatSuiteReport({ kind, findings, tally, seconds }: SuiteReport): string {
  const ends = Object.entries(tally).sort(([a], [b]) => a.localeCompare(b))
  const lines = findings.map((finding) => formatFinding(finding))
  lines.push(`${kind}: ${ends.map(([end, n]) => `${end} ${n}`).join(', ')}`)
  lines.push(`${findings.length} findings in ${seconds.toFixed(0)} s, seed ${seed}`)
  return `${lines.join('\n')}\n`
}

function formatReport({ findings, memory, tally, seconds }: CampaignReport): string {
  const lines = findings.map((finding) => formatFinding(finding))
  for (const kind of ['request', 'stream'] as const) {
    const ends = Object.entries(tally[kind]).sort(([a], [b]) => a.localeCompare(b))
    const count = ends.reduce((sum, [, n]) => sum + n, 0)
    lines.push(`${count} ${kind} cases: ${ends.map(([end, n]) => `${end} ${n}`).join(', ')}`)
  }
  lines.push(
    `memory: ${formatMegabytes(memory.warmBytes)} warm, ${formatMegabytes(memory.endBytes)} at the end, ${formatMegabytes(memory.peakBytes)} at most; growth ${formatMegabytes(memory.growthBytes)}, allowed ${formatMegabytes(allowedGrowthBytes)}`,
    `${findings.length} findings in ${seconds.toFixed(0)} s, seed ${seed}`,
  )
  return `${lines.join('\n')}\n`
}

function formatMegabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(0)} MB`
}

function readCount(flag: string, text: string): number {
  if (/^\d{1,10}$/.test(text)) return Number(text)
  throw new Error(`${flag}: got ${text}, expected a whole number`)
}
