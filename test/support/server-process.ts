import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'

const root = resolve(import.meta.dir, '../..')
const main = join(root, 'src/main.ts')

export type ServerProcess = {
  readonly pid: number
  readonly dataFolder: string
  readonly httpsUrl: string
  readonly httpUrl: string
  readonly key: string
  /** PEM of the local authority; empty where the operator's own certificate is served. */
  readonly ca: string
  /** Everything the server wrote to standard error so far. */
  errors(): string
  /** Runs a `ponto` command against this server. */
  run(args: readonly string[], stdin?: string): Promise<{ code: number; stdout: string; stderr: string }>
  /** Ends the process and resolves to its exit code; the data folder stays for another start. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

export type StartOptions = {
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly dataFolder?: string
  /** A program and its arguments that becomes the server, given the server's own command at the end. */
  readonly wrapper?: readonly string[]
}

const startLimitMs = 20_000

export function makeTempFolder(): string {
  return mkdtempSync(join(tmpdir(), 'ponto-test-'))
}

export function removeFolder(path: string): void {
  rmSync(path, { recursive: true, force: true })
}

/** `ponto up` as a process of its own, on free loopback ports, once it says that it is ready. */
export async function startServer(options: StartOptions = {}): Promise<ServerProcess> {
  const dataFolder = options.dataFolder ?? makeTempFolder()
  const env = { PATH: process.env.PATH ?? '', HOME: tmpdir(), ...options.env }
  const args = [main, 'up', '--data', dataFolder, '--port', '0', '--http-port', '0', '--json', '--log-level', 'warn']
  const command = [...(options.wrapper ?? []), process.execPath, ...args, ...(options.args ?? [])]
  const child = spawn(command[0] as string, command.slice(1), { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let errors = ''
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  const exited = new Promise<number | null>((done) => child.once('exit', done))
  const ready = await readFirstLine(child, exited, () => errors)
  return {
    pid: child.pid as number,
    dataFolder,
    httpsUrl: ready.endpoints.azureOpenAI,
    httpUrl: ready.endpoints.http,
    key: ready.key,
    ca: existsSync(join(dataFolder, 'ca.pem')) ? readFileSync(join(dataFolder, 'ca.pem'), 'utf8') : '',
    errors: () => errors,
    run: (command, stdin) => runCommand(['--data', dataFolder, ...command], env, stdin),
    async stop(signal = 'SIGTERM') {
      child.kill(signal)
      return exited
    },
  }
}

async function readFirstLine(child: ChildProcess, exited: Promise<number | null>, errors: () => string) {
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
  const line = new Promise<string>((done) => lines.once('line', done))
  const failed = exited.then((code) => Promise.reject(new Error(`the server ended with ${code}:\n${errors()}`)))
  failed.catch(() => {})
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the server was not ready in time:\n${errors()}`)), startLimitMs)
  })
  try {
    return JSON.parse(await Promise.race([line, failed, late]))
  } finally {
    clearTimeout(timer)
  }
}

/** One `ponto` command as a process of its own. */
export function runCommand(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  stdin = '',
): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [main, ...args], { env, stdio: ['pipe', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  child.stdin.end(stdin)
  return new Promise((done) => child.once('close', (code) => done({ code: code ?? -1, stdout, stderr })))
}
