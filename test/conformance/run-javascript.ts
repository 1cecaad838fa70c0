import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Check, runSuite, type SuiteReport } from './report.ts'

const folder = join(import.meta.dir, 'javascript')
const oldestNode = 20
const limitMs = 300_000

/** The vendors' JavaScript clients under Node, as their users run them. `environment` is the server's. */
export async function runJavaScript(
  environment: Readonly<Record<string, string>>,
  onCheck?: (check: Check) => void,
): Promise<SuiteReport> {
  const version = execFileSync('node', ['--version'], { env: environment, encoding: 'utf8' }).trim().slice(1)
  if (Number.parseInt(version, 10) < oldestNode) {
    throw new Error(`Node ${oldestNode} or newer is needed for the JavaScript clients; the node on PATH is ${version}.`)
  }
  const files = readdirSync(folder).filter((name) => name.endsWith('.checks.mjs'))
  return runSuite({
    name: 'JavaScript',
    runtime: `Node ${version}`,
    program: 'node',
    args: ['--test', '--test-reporter=./reporter.mjs', ...files],
    folder,
    environment,
    limitMs,
    ...(onCheck && { onCheck }),
  })
}
