import { type Check, countOutcomes, renderFailures, renderTable, type SuiteReport } from './report.ts'
import { runJavaScript } from './run-javascript.ts'
import { runPython } from './run-python.ts'
import { startConformanceServer } from './server.ts'

/** `npm run test:sdks`: every vendor client there is, against one live server. Exits with 1 when a check fails. */

const tell = (line: string): void => void process.stderr.write(`\n${line}\n`)
const marks = { passed: '.', failed: 'F', skipped: 's' } as const
const onCheck = ({ outcome }: Check): void => void process.stderr.write(marks[outcome])

async function runAll(): Promise<SuiteReport[]> {
  tell('starting a server and its upstream')
  const server = await startConformanceServer()
  try {
    const { environment } = server
    tell('javascript: the clients under Node')
    const javascript = await runJavaScript(environment, onCheck)
    return [javascript, ...(await runPython({ environment, isRequired: Boolean(process.env.CI), tell, onCheck }))]
  } finally {
    await server.stop()
  }
}

function print(reports: readonly SuiteReport[]): void {
  const checks = reports.flatMap((report) => report.checks)
  const { passed, failed, skipped } = countOutcomes(checks)
  const skips = checks.filter(({ outcome }) => outcome === 'skipped')
  console.log(`\n${renderFailures(reports)}`)
  console.log(`${renderTable(reports)}\n`)
  for (const { client, name, detail } of skips) console.log(`skipped ${client}: ${name}: ${detail}`)
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
  process.exitCode = failed === 0 ? 0 : 1
}

function describeFailure(error: unknown): SuiteReport {
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { runtime: '', checks: [{ client: 'all', name: 'the run as a whole', outcome: 'failed', detail }] }
}

print(await runAll().catch((error) => [describeFailure(error)]))
