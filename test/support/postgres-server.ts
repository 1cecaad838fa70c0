import { spawnSync } from 'node:child_process'
import { chownSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { isExecutable, withProgram } from './find-program.ts'
import { findFreePort, type StartedProgram, startProgram } from './start-program.ts'

/** A PostgreSQL of a test's own: on a free loopback port, in a temporary folder, ended by its process id. */
export type PostgresServer = {
  readonly port: number
  readonly user: string
  readonly password: string
  /** Of a database of its own in no language's order, or of the one that is named. */
  url(parameters?: Readonly<Record<string, string>>): string
  /** Ends it at once, connections and all, as a crash does. */
  kill(): Promise<void>
  /** Again on the same port, with what was in it. */
  restart(): Promise<void>
  /** Halts it, connections and all, and lets it go on. */
  pause(): void
  resume(): void
  /** Ends it for good and removes its folder. */
  stop(): Promise<void>
}

const startLimitMs = 60_000
const user = 'ponto'
const password = 'p w/d%:@'

/** Where PostgreSQL's programs are: in a folder on PATH, or where Debian keeps those of each version, the newest first. */
export function findPostgres(): string | undefined {
  const debian = '/usr/lib/postgresql'
  const versions = listFolder(debian).toSorted((a, b) => Number(b) - Number(a))
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    ...versions.map((version) => join(debian, version, 'bin')),
  ]
  return folders.find((folder) => ['initdb', 'postgres'].every((name) => isExecutable(join(folder, name))))
}

/** Declares tests that need PostgreSQL; where there is none they are one skipped test that says so, in CI one that fails. */
export function withPostgres(title: string, declare: () => void): void {
  withProgram(title, findPostgres(), 'PostgreSQL (initdb, postgres)', declare)
}

export type PostgresServerOptions = {
  /** With which it speaks TLS too. PEM. */
  readonly tls?: { readonly certificate: string; readonly key: string }
}

export async function startPostgresServer({ tls }: PostgresServerOptions = {}): Promise<PostgresServer> {
  const programs = findPostgres()
  if (programs === undefined) throw new Error('there is no PostgreSQL')
  const folder = mkdtempSync(join(tmpdir(), 'ponto-postgres-'))
  const identity = findIdentity()
  if (identity) chownSync(folder, identity.uid, identity.gid)
  const write = (name: string, text: string): string => {
    const path = join(folder, name)
    writeFileSync(path, text, { mode: 0o600 })
    if (identity) chownSync(path, identity.uid, identity.gid)
    return path
  }
  const data = join(folder, 'data')
  const passwordFile = write('password', `${password}\n`)
  runAs(identity, join(programs, 'initdb'), [
    ...['-D', data, '-U', user, '--pwfile', passwordFile, '--auth=scram-sha-256'],
    ...['--encoding=UTF8', '--no-sync', ...languageOptions(programs)],
  ])
  const port = await findFreePort()
  const options = [
    'listen_addresses=127.0.0.1',
    `unix_socket_directories=${folder}`,
    `port=${port}`,
    // A test's data may go with the machine, and its files need not be many.
    ...['fsync=off', 'full_page_writes=off', 'shared_buffers=16MB', 'max_connections=100'],
    ...(tls
      ? [
          'ssl=on',
          `ssl_cert_file=${write('server.crt', tls.certificate)}`,
          `ssl_key_file=${write('server.key', tls.key)}`,
        ]
      : []),
  ]
  const args = ['-D', data, ...options.flatMap((option) => ['-c', option])]
  const [command, all] = commandAs(identity, join(programs, 'postgres'), args)
  const start = (): Promise<StartedProgram> =>
    startProgram(command, all, /ready to accept connections/, {
      cwd: tmpdir(),
      // What it says is matched.
      env: { ...process.env, LC_ALL: 'C' },
      limitMs: startLimitMs,
    })
  let running: StartedProgram
  try {
    running = await start()
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
  return {
    port,
    user,
    password,
    url(parameters = {}) {
      const url = new URL(`postgresql://127.0.0.1:${port}/postgres`)
      url.username = user
      url.password = encodeURIComponent(password)
      for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
      return url.href
    },
    kill: () => running.end('SIGQUIT'),
    async restart() {
      await running.end('SIGQUIT')
      running = await start()
    },
    pause: () => running.signal('SIGSTOP'),
    resume: () => running.signal('SIGCONT'),
    async stop() {
      await running.end('SIGQUIT')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

type Identity = { readonly uid: number; readonly gid: number }

/** PostgreSQL refuses to run as root, so it runs as the user of its package, or as nobody. */
function findIdentity(): Identity | undefined {
  if (process.getuid?.() !== 0) return undefined
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((flag) => spawnSync('id', [flag, name], { encoding: 'utf8' }).stdout.trim())
    if (uid && gid) return { uid: Number(uid), gid: Number(gid) }
  }
  throw new Error('there is no user that PostgreSQL could run as')
}

/** `setpriv` becomes the program, so that the process that was started is the one to end. */
function commandAs(identity: Identity | undefined, program: string, args: readonly string[]): [string, string[]] {
  if (!identity) return [program, [...args]]
  const { uid, gid } = identity
  return ['setpriv', [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', program, ...args]]
}

function runAs(identity: Identity | undefined, program: string, args: readonly string[]): void {
  const [command, all] = commandAs(identity, program, args)
  const { status, stderr, stdout } = spawnSync(command, all, { encoding: 'utf8', cwd: tmpdir() })
  if (status !== 0) throw new Error(`${program} failed:\n${stdout}${stderr}`)
}

/** A language whose order is not that of octets, where this PostgreSQL can have one. */
function languageOptions(programs: string): string[] {
  const { stdout } = spawnSync(join(programs, 'initdb'), ['--help'], { encoding: 'utf8' })
  return stdout.includes('--icu-locale') ? ['--locale=C.UTF-8', '--locale-provider=icu', '--icu-locale=en'] : []
}

function listFolder(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}
