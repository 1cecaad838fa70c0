import type { Command } from 'commander'
import { Fault } from '../../core/fault.ts'
import type { Check, CheckLevel, CommandContext, StoreSettings } from '../context.ts'
import { printFacts } from '../terminal/print.ts'
import { checkCertificate, checkFolder } from './check-files.ts'
import { checkPorts, checkTrustVariables } from './check-network.ts'
import { askServer, checkEngine, checkServer, checkUpstreams } from './check-server.ts'

/** `ponto doctor`: looks at everything that has to be right, prints a line each and says what to do. Changes nothing. */
export function defineDoctor(command: Command, context: CommandContext): void {
  const { env } = context
  command
    .option('--host <address>', 'where the server would listen', env.PONTO_HOST || '127.0.0.1')
    .option('--port <number>', 'its HTTPS port', env.PONTO_PORT || '8443')
    .option('--http-port <number>', 'its HTTP port', env.PONTO_HTTP_PORT || '8080')
    .option('--blobs <store>', 'where it would keep files', env.PONTO_BLOBS || 'disk')
    .option('--ca-file <file>', 'further authorities that it would trust, PEM', env.PONTO_CA_FILE || undefined)
    .addHelpText(
      'after',
      '\nDatabase, files and counters are those of the variables and options that it is run with: run it with those of the server.\nThe exit code is 1 when a check fails.\n\nExamples:\n  ponto doctor\n  ponto doctor --output json',
    )
  command.action(async () => {
    const { host, port, httpPort, blobs, caFile } = command.opts()
    const ports = [
      { flag: '--port', port: Number(port) },
      { flag: '--http-port', port: Number(httpPort) },
    ]
    const checks = await runChecks(context, host, ports, { blobs, caFile })
    await printChecks(context, checks)
    const failed = checks.filter((check) => check.level === 'fail').length
    if (failed > 0) throw new Fault('conflict', failed === 1 ? 'one check failed' : `${failed} checks failed`)
  })
}

type PortToCheck = { readonly flag: string; readonly port: number }

async function runChecks(
  context: CommandContext,
  host: string,
  ports: readonly PortToCheck[],
  settings: StoreSettings,
): Promise<Check[]> {
  const folder = context.folder()
  const { probes } = context
  const checkStore = (name: 'database' | 'files' | 'counters') =>
    guard(name, async () => (probes ? [await probes[name](folder, settings)] : []))
  const server = await askServer(folder)
  const isRunning = server.status !== undefined
  return (
    await Promise.all([
      guard('data folder', () => checkFolder(folder)),
      guard('server', () => checkServer(folder, server)),
      guard('ports', () => (isRunning ? [] : checkPorts(host, ports))),
      guard('certificate', () => checkCertificate(folder, server.record, new Date())),
      checkStore('database'),
      checkStore('files'),
      checkStore('counters'),
      guard('engine', async () => {
        if (server.status) return [checkEngine(server.status)]
        return probes ? [await probes.engine(folder)] : []
      }),
      guard('upstreams', () => (server.client ? checkUpstreams(server.client) : [])),
      guard('trust', () => checkTrustVariables(folder, server.record, context.env)),
    ])
  ).flat()
}

/** A check that breaks is a finding, and the others still run. */
async function guard(name: string, check: () => Check[] | Promise<Check[]>): Promise<Check[]> {
  try {
    return await check()
  } catch (error) {
    return [{ name, level: 'fail', detail: error instanceof Error ? error.message : String(error) }]
  }
}

const colors: Record<CheckLevel, number> = { ok: 32, warn: 33, fail: 31 }

async function printChecks(context: CommandContext, checks: readonly Check[]): Promise<void> {
  if (context.format() !== 'table') return printFacts(context, checks, [])
  const width = Math.max(...checks.map((check) => check.name.length))
  for (const [index, { name, level, detail, fix }] of checks.entries()) {
    const mark = level.padEnd(4)
    const shown = context.isColored() ? `\x1b[${colors[level]}m${mark}\x1b[39m` : mark
    context.stdout.write(`${shown}  ${name.padEnd(width)}  ${detail}\n`)
    // Once for neighbours with one remedy.
    if (fix && fix !== checks[index + 1]?.fix) context.stdout.write(`${' '.repeat(width + 8)}-> ${fix}\n`)
  }
}
