import { readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { runSuite, type SuiteReport } from './report.ts'
import { askProgram, isAtLeast, reportBroken, reportMissing, runLoudly, type SuiteOptions } from './toolchain.ts'

const folder = join(import.meta.dir, 'java')
const clients = 'azure-ai-inference, azure-ai-openai, openai-java'
const oldest = '17'
const limitMs = 300_000

/**
 * The vendors' Java clients, in one virtual machine. Maven builds the checks before; they themselves run with the
 * server's variables, so that they trust the local authority by JAVA_TOOL_OPTIONS.
 */
export async function runJava(options: SuiteOptions): Promise<SuiteReport> {
  const version = /version "(\d[\d.]*)/.exec(askProgram('java', ['-version'], folder) ?? '')?.[1]
  const hasMaven = askProgram('mvn', ['--version'], folder) !== undefined
  if (version === undefined || !isAtLeast(version, oldest) || !hasMaven) {
    const detail = `There is no ${hasMaven ? `java ${oldest} or newer` : 'mvn'} on PATH.`
    return reportMissing(clients, 'Java', detail, options.isRequired)
  }
  const runtime = `Java ${version}`
  try {
    options.tell(`java: ${clients}, built with ${runtime}`)
    await runLoudly('mvn', ['-q', '-B', 'compile', 'dependency:build-classpath'], folder)
    const { environment, onCheck } = options
    const classpath = [join(folder, 'target/classes'), readFileSync(join(folder, 'target/classpath'), 'utf8').trim()]
    return await runSuite({
      name: clients,
      runtime,
      program: 'java',
      args: [`-Djdk.net.hosts.file=${writeHosts(environment)}`, '-cp', classpath.join(delimiter), 'conformance.Checks'],
      folder,
      environment,
      limitMs,
      ...(onCheck && { onCheck }),
    })
  } catch (error) {
    return reportBroken(clients, runtime, error)
  }
}

/** A file of host names by which the checks find this machine, and no other. */
function writeHosts({ CONFORMANCE_AZURE_HOSTS: hosts = '' }: SuiteOptions['environment']): string {
  const file = join(folder, 'target/hosts')
  writeFileSync(file, `127.0.0.1 localhost ${hosts.replaceAll(',', ' ')}\n`)
  return file
}
