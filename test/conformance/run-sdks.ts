import { writeClientsPage } from './clients-page.ts'
import { neverRun } from './never-run.ts'
import { type Check, countOutcomes, renderFailures, renderTable, type SuiteReport } from './report.ts'
import { runFrameworksJs } from './run-frameworks-js.ts'
import { runGo } from './run-go.ts'
import { runJava } from './run-java.ts'
import { runJavaScript } from './run-javascript.ts'
import { runPython } from './run-python.ts'
import { startConformanceServer } from './server.ts'

/**
 * `npm run test:sdks`: every vendor client there is, against one live server. Exits with 1 when a check fails. With
 * `-- --write-docs` the table goes into the documentation too.
 */

const tell = (line: string): void => void process.stderr.write(`\n${line}\n`)
const allClients = 'all'
const marks = { passed: '.', failed: 'F', skipped: 's', 'not-run': '-' } as const
const onCheck = ({ outcome }: Check): void => void process.stderr.write(marks[outcome])

async function runAll(): Promise<SuiteReport[]> {
  tell('starting a server and its upstream')
  const server = await startConformanceServer()
  try {
    const { environment } = server
    tell('javascript: the clients under Node')
    const javascript = await runJavaScript(environment, onCheck)
    const options = { environment, isRequired: Boolean(process.env.CI), tell, onCheck }
    const frameworks = await runFrameworksJs(options)
    const python = await runPython(options)
    return [javascript, frameworks, ...python, await runGo(options), await runJava(options)]
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
  return { runtime: '', checks: [{ client: allClients, name: 'the run as a whole', outcome: 'failed', detail }] }
}

function isBroken({ checks }: SuiteReport): boolean {
  return checks.some(({ client }) => client === allClients)
}

const reports = await runAll().catch((error) => [describeFailure(error)])
print([...reports, ...neverRun])
// A run that broke knows too little for the page to be overwritten.
if (process.argv.includes('--write-docs') && !reports.some(isBroken)) {
  tell(`written: ${writeClientsPage([...reports, ...neverRun])}`)
}
