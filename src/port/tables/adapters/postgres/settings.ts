import { readFileSync } from 'node:fs'
import { checkServerIdentity, rootCertificates } from 'node:tls'
import type { PoolConfig } from 'pg'
import { Fault } from '../../../../core/fault.ts'

/** Where a server finds PostgreSQL, for messages. */
const source = 'PONTO_SECRET_POSTGRES_URL'

const connectMs = 5_000
/** The server ends a statement after this, or a transaction that nobody goes on with. */
const statementMs = 30_000
const lockMs = 10_000
const idleTransactionMs = 60_000
/** A server that is connected and dumb is given up. */
const answerMs = 35_000
const idleMs = 30_000
const keepAliveMs = 10_000
const defaultPoolSize = 10

const tlsModes = ['disable', 'require', 'verify-ca', 'verify-full'] as const
type TlsMode = (typeof tlsModes)[number]

const parameterNames = ['sslmode', 'sslrootcert', 'schema', 'pool_size', 'application_name', 'host'] as const
type ParameterName = (typeof parameterNames)[number]
type Parameters = Readonly<Partial<Record<ParameterName, string>>>

export type PostgresSettings = {
  readonly pool: PoolConfig
  /** In which all tables are, and nothing else. */
  readonly schema: string
}

/**
 * What `postgresql://user:password@host:5432/database?sslmode=verify-full` says. `ca` is PEM of further authorities to trust. Throws
 * Fault `invalid-request`, which never holds the URL or a part that may be secret.
 */
export function readPostgresUrl(text: string, ca: string | undefined): PostgresSettings {
  const url = parseUrl(text)
  const parameters = readParameters(url)
  const host = parameters.host ?? decode(url.hostname)
  const database = decode(url.pathname.slice(1))
  const user = decode(url.username)
  if (host === '') throw refuse('names no host')
  if (host.includes(',')) throw refuse('names several hosts; name one')
  if (database === '' || database.includes('/')) throw refuse('names no database')
  if (user === '') throw refuse('names no user')
  const schema = readSchema(parameters.schema)
  return {
    schema,
    pool: {
      host: host.replace(/^\[(.*)\]$/, '$1'),
      port: url.port === '' ? 5432 : Number(url.port),
      database,
      user,
      ...(url.password !== '' && { password: decode(url.password) }),
      ssl: readTls(parameters, ca),
      application_name: parameters.application_name ?? 'ponto',
      // What is written without a schema is in ours, whatever the user or the database has set.
      options: `-c search_path=${schema}`,
      max: readPoolSize(parameters.pool_size),
      idleTimeoutMillis: idleMs,
      connectionTimeoutMillis: connectMs,
      statement_timeout: statementMs,
      lock_timeout: lockMs,
      idle_in_transaction_session_timeout: idleTransactionMs,
      query_timeout: answerMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: keepAliveMs,
    },
  }
}

function refuse(problem: string): Fault {
  return new Fault(
    'invalid-request',
    `${source} ${problem}. It has the form postgresql://USER:PASSWORD@HOST:5432/DATABASE?sslmode=verify-full`,
  )
}

function parseUrl(text: string): URL {
  const url = URL.parse(text)
  if (url?.protocol === 'postgres:' || url?.protocol === 'postgresql:') return url
  throw refuse('is not a PostgreSQL URL')
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw refuse('has a percent sign that begins no escape; write it as %25')
  }
}

function readParameters(url: URL): Parameters {
  for (const name of url.searchParams.keys()) {
    if ((parameterNames as readonly string[]).includes(name)) continue
    const shown = /^\w{1,40}$/.test(name) ? `the parameter "${name}"` : 'a parameter'
    throw refuse(`has ${shown} that is not known here; known are ${parameterNames.join(', ')}`)
  }
  return Object.fromEntries(url.searchParams)
}

function readSchema(name = 'ponto'): string {
  if (/^[a-z_][a-z0-9_]{0,62}$/.test(name)) return name
  throw refuse('names a schema that is none: small letters, digits and _ only, and no digit first')
}

function readPoolSize(text: string | undefined): number {
  if (text === undefined) return defaultPoolSize
  const size = Number(text)
  if (Number.isInteger(size) && size >= 2 && size <= 100) return size
  throw refuse('has a pool_size that is not a whole number from 2 to 100')
}

/**
 * As PostgreSQL's own clients read `sslmode`, but that none of them falls back to a connection in the clear: without it, there is no
 * TLS; `require` hides what is sent, and from `verify-ca` on the server has to show who it is.
 */
function readTls({ sslmode = 'disable', sslrootcert, host }: Parameters, ca: string | undefined): PoolConfig['ssl'] {
  if (!isTlsMode(sslmode)) throw refuse(`has an sslmode that is not known here; known are ${tlsModes.join(', ')}`)
  if (sslmode === 'disable' || host?.startsWith('/')) return false
  const own = sslrootcert === undefined || sslrootcert === 'system' ? [] : [readRootCertificate(sslrootcert)]
  // A file that is named is to be trusted alone, as PostgreSQL's own clients do.
  const trusted = own.length > 0 ? own : [...rootCertificates, ...(ca === undefined ? [] : [ca])]
  return {
    ca: trusted,
    rejectUnauthorized: sslmode !== 'require' || own.length > 0,
    checkServerIdentity: sslmode === 'verify-full' ? checkServerIdentity : () => undefined,
  }
}

function isTlsMode(text: string): text is TlsMode {
  return (tlsModes as readonly string[]).includes(text)
}

function readRootCertificate(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown reason'
    throw refuse(`names an sslrootcert that cannot be read (${code})`)
  }
}
