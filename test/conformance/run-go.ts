import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runSuite, type SuiteReport } from './report.ts'
import { askProgram, isAtLeast, reportBroken, reportMissing, runLoudly, type SuiteOptions } from './toolchain.ts'

const folder = join(import.meta.dir, 'go')
const clients = 'openai-go, azopenai, armcognitiveservices'
const limitMs = 300_000

/** The vendors' Go clients, in one program that is built first. They trust the local authority by SSL_CERT_FILE. */
export async function runGo(options: SuiteOptions): Promise<SuiteReport> {
  const oldest = /^go (\S+)$/m.exec(readFileSync(join(folder, 'go.mod'), 'utf8'))?.[1] ?? ''
  const version = /go(\d\S+)/.exec(askProgram('go', ['env', 'GOVERSION'], folder) ?? '')?.[1]
  if (version === undefined || !isAtLeast(version, oldest)) {
    return reportMissing(clients, 'Go', `There is no go ${oldest} or newer on PATH.`, options.isRequired)
  }
  const runtime = `Go ${version}`
  const built = mkdtempSync(join(tmpdir(), 'ponto-go-'))
  try {
    options.tell(`go: ${clients}, built with ${runtime}`)
    const program = join(built, 'checks')
    await runLoudly('go', ['build', '-buildvcs=false', '-o', program, '.'], folder)
    const { environment, onCheck } = options
    return await runSuite({
      name: clients,
      runtime,
      program,
      args: [],
      folder,
      environment,
      limitMs,
      ...(onCheck && { onCheck }),
    })
  } catch (error) {
    return reportBroken(clients, runtime, error)
  } finally {
    rmSync(built, { recursive: true, force: true })
  }
}
