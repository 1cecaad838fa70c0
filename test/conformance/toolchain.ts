import { spawn, spawnSync } from 'node:child_process'
import type { Check, SuiteReport } from './report.ts'

/** What it takes to build and run the checks of a language. */
export type SuiteOptions = {
  /** The server's variables, for the checks. */
  readonly environment: Readonly<Record<string, string>>
  /** Whether a machine without the language is a failure; elsewhere it is a skip. */
  readonly isRequired: boolean
  readonly tell: (line: string) => void
  readonly onCheck?: (check: Check) => void
}

/** What a program says of itself, on either output; undefined where it cannot be run. */
export function askProgram(program: string, args: readonly string[], folder: string): string | undefined {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: folder, encoding: 'utf8' })
  return status === 0 ? stdout + stderr : undefined
}

/** Whether `1.26.8` is `1.26.0` or newer. */
export function isAtLeast(version: string, oldest: string): boolean {
  return version.localeCompare(oldest, 'en', { numeric: true }) >= 0
}

/** Runs a program to its end; what it prints goes to standard error, as progress. */
export function runLoudly(program: string, args: readonly string[], folder: string): Promise<void> {
  const child = spawn(program, args, { cwd: folder, stdio: ['ignore', 2, 2] })
  return new Promise((done, fail) => {
    child.once('error', fail)
    child.once('exit', (code, signal) => {
      if (code === 0) done()
      else fail(new Error(`${program} ${args.join(' ')} ended with ${signal ?? code}`))
    })
  })
}

/** The only check of clients whose language is not there. */
export function reportMissing(clients: string, name: string, detail: string, isRequired: boolean): SuiteReport {
  return {
    runtime: `${name} missing`,
    checks: [{ client: clients, name, outcome: isRequired ? 'failed' : 'skipped', detail }],
  }
}

/** The only check of clients whose checks cannot be built. */
export function reportBroken(clients: string, runtime: string, error: unknown): SuiteReport {
  const detail = error instanceof Error ? error.message : String(error)
  return { runtime, checks: [{ client: clients, name: 'build', outcome: 'failed', detail }] }
}
