import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** One behaviour of one client. */
export type Check = {
  /** Name and, where there is one, version. */
  readonly client: string
  readonly name: string
  /** `not-run`: the client as a whole could not be had, so that nothing is known of it. */
  readonly outcome: 'passed' | 'failed' | 'skipped' | 'not-run'
  /** Why it did not pass. */
  readonly detail?: string
}

/** What one run of a language's checks came to. */
export type SuiteReport = {
  /** `Node 20.20.2` */
  readonly runtime: string
  readonly checks: readonly Check[]
}

export type SuiteCommand = {
  readonly name: string
  readonly runtime: string
  readonly program: string
  readonly args: readonly string[]
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>
  readonly limitMs: number
  /** Told of each check as it ends. */
  readonly onCheck?: (check: Check) => void
}

/**
 * Runs a program that prints one check per line as JSON. A program that ends badly without a failed check to show for
 * it, or that makes no check at all, counts as a failed check of its own, with what it printed besides.
 */
export async function runSuite(command: SuiteCommand): Promise<SuiteReport> {
  const { program, args, folder, environment, onCheck } = command
  const child = spawn(program, args, { cwd: folder, env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
  const timer = setTimeout(() => child.kill('SIGKILL'), command.limitMs)
  const checks: Check[] = []
  const noise: string[] = []
  const ended = new Promise<string>((settle) => {
    child.once('error', (error) => settle(`${program} cannot be started: ${error.message}`))
    child.once('close', (code, signal) => settle(`it ended with ${signal ?? code}`))
  })
  child.stderr.on('data', (chunk) => noise.push(String(chunk)))
  // By its events: the output of a program that was never started has no end to wait for.
  createInterface({ input: child.stdout }).on('line', (line) => {
    const check = readCheck(line)
    if (check) {
      checks.push(check)
      onCheck?.(check)
    } else noise.push(`${line}\n`)
  })
  const end = await ended
  clearTimeout(timer)
  const hasFailed = checks.some(({ outcome }) => outcome === 'failed')
  if (!hasFailed && (child.exitCode !== 0 || checks.length === 0)) {
    const detail = `${end} after ${checks.length} checks:\n${noise.join('')}`
    checks.push({ client: command.name, name: 'the run as a whole', outcome: 'failed', detail })
  }
  return { runtime: command.runtime, checks }
}

function readCheck(line: string): Check | undefined {
  if (!line.startsWith('{"client":')) return undefined
  return JSON.parse(line)
}

export function countOutcomes(checks: readonly Check[]): Record<Check['outcome'], number> {
  const counts = { passed: 0, failed: 0, skipped: 0, 'not-run': 0 }
  for (const { outcome } of checks) counts[outcome]++
  return counts
}

/** What one client came to under one runtime. */
export type ClientRow = {
  readonly client: string
  /** Empty where it is unknown. */
  readonly version: string
  readonly runtime: string
  readonly counts: Record<Check['outcome'], number>
  /** Why it was not run; undefined when it was. */
  readonly notRun?: string
}

export function listClients(reports: readonly SuiteReport[]): ClientRow[] {
  return reports.flatMap(({ runtime, checks }) =>
    [...Map.groupBy(checks, ({ client }) => client)].map(([client, own]) => {
      const [, name = client, version = ''] = /^(.+) (v?\d\S*)$/.exec(client) ?? []
      const notRun = own.find(({ outcome }) => outcome === 'not-run')?.detail
      return { client: name, version, runtime, counts: countOutcomes(own), ...(notRun && { notRun }) }
    }),
  )
}

/** A row of cells per client and runtime, below a row of titles. */
export function tabulate(reports: readonly SuiteReport[]): string[][] {
  const rows = listClients(reports).map(({ client, version, runtime, counts, notRun }) => {
    const { passed, failed, skipped } = counts
    const cells = notRun ? ['not run', '', '', ''] : [passed + failed + skipped, passed, failed, skipped].map(String)
    return [client, version, runtime, ...cells, notRun ?? '']
  })
  return [['client', 'version', 'runtime', 'checks', 'passed', 'failed', 'skipped', 'remark'], ...rows]
}

export function renderTable(reports: readonly SuiteReport[]): string {
  const table = tabulate(reports)
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? []
  return table
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** The checks that failed, each with its reason; empty when none did. */
export function renderFailures(reports: readonly SuiteReport[]): string {
  return reports
    .flatMap(({ runtime, checks }) =>
      checks
        .filter(({ outcome }) => outcome === 'failed')
        .map(({ client, name, detail }) => `FAILED ${client}, ${runtime}: ${name}\n${indent(detail ?? '')}\n`),
    )
    .join('\n')
}

function indent(text: string): string {
  return text.trimEnd().replace(/^/gm, '    ')
}
