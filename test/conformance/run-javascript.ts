import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Check, runSuite, type SuiteReport } from './report.ts'
import { askProgram, isAtLeast } from './toolchain.ts'

const folder = join(import.meta.dir, 'javascript')
const oldestNode = '20.0.0'
const limitMs = 300_000

/** The vendors' JavaScript clients under Node, as their users run them. `environment` is the server's. */
export async function runJavaScript(
  environment: Readonly<Record<string, string>>,
  onCheck?: (check: Check) => void,
): Promise<SuiteReport> {
  const version = askNode('node')
  if (version === undefined || !isAtLeast(version, oldestNode)) {
    const found = version === undefined ? 'there is none on PATH' : `the one on PATH is ${version}`
    throw new Error(`Node ${oldestNode} or newer is needed for the JavaScript clients; ${found}.`)
  }
  return runNodeChecks({ name: 'JavaScript', node: 'node', version, folder, environment, ...(onCheck && { onCheck }) })
}

/** The version of a Node, `20.20.2`; undefined where the program is no Node that runs here. */
export function askNode(program: string): string | undefined {
  return /^v(\d+\.\d+\.\d+)/.exec(askProgram(program, ['--version'], folder) ?? '')?.[1]
}

export type NodeChecks = {
  readonly name: string
  /** The program, and its version. */
  readonly node: string
  readonly version: string
  /** Where the files `*.checks.mjs` are. */
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>
  readonly onCheck?: (check: Check) => void
}

export function runNodeChecks({ node, version, folder: own, ...others }: NodeChecks): Promise<SuiteReport> {
  const files = readdirSync(own).filter((name) => name.endsWith('.checks.mjs'))
  const args = ['--test', `--test-reporter=${join(folder, 'reporter.mjs')}`, ...files]
  return runSuite({ ...others, runtime: `Node ${version}`, program: node, args, folder: own, limitMs })
}
