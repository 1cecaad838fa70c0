import { resolve } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { DataFolder } from '../../boot/folder/data-folder.ts'
import type { CommandContext } from '../context.ts'

const maxDays = 36_500

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const

export type UpOptions = {
  readonly folder: DataFolder
  readonly host: string
  readonly port: number
  readonly httpPort: number
  /** Whether plain HTTP may be offered beyond loopback. */
  readonly http: boolean
  /** Both or none. Files are absolute, so that they mean the same wherever they are read. */
  readonly tlsCert?: string | undefined
  readonly tlsKey?: string | undefined
  readonly name?: string | undefined
  readonly san: readonly string[]
  readonly config?: string | undefined
  readonly secretKeyFile?: string | undefined
  readonly caFile?: string | undefined
  /** The content filter policy of deployments that name none. */
  readonly raiPolicy: string
  readonly storedCompletionDays: number
  /** How long usage is kept by the hour, and after that by the day. */
  readonly usageHourlyDays: number
  readonly usageDays: number
  /** How long requests are kept in the log, 0: not at all, and how many megabytes of them. */
  readonly requestLogDays: number
  readonly requestLogMb: number
  readonly batchBehaviour: 'azure' | 'openai'
  readonly blobs: string
  /** Seconds. */
  readonly databaseWait: number
  readonly replicas: number
  readonly quiet: boolean
  readonly json: boolean
  readonly logLevel: (typeof logLevels)[number]
  readonly isColored: boolean
}

const examples = `
Examples:
  ponto up                                          HTTPS on 8443 and HTTP on 8080, this machine only
  ponto up --host 0.0.0.0 --san ponto.lan           for the network, HTTPS only
  ponto up --host 0.0.0.0 --port 443 --tls-cert fullchain.pem --tls-key privkey.pem
  ponto up --name contoso                           also answers as contoso.openai.azure.com and its like
  ponto up --config ponto.yaml                      deployments from a file, which is watched

Servers that share their limits find each other in Redis or Valkey, at the address in PONTO_SECRET_REDIS_URL. State
lies in SQLite in the data folder, or in PostgreSQL at the address in PONTO_SECRET_POSTGRES_URL.`

/** `ponto up`. The server itself is handed in, so that this file costs nothing to load. */
export function defineUp(command: Command, context: CommandContext, up: (options: UpOptions) => Promise<void>): void {
  const { env } = context
  const problems: string[] = []
  const add = (flags: string, text: string, variable: string, shape: OptionShape = {}) => {
    const option = makeOption(flags, `${text} (env ${variable})`, shape)
    try {
      if (env[variable]) option.default(readVariable(option, env[variable], shape))
    } catch (error) {
      problems.push(`error: ${variable}="${env[variable]}": ${(error as Error).message}`)
    }
    command.addOption(option)
  }
  command.description('start the server')
  add('--host <address>', 'address to listen on', 'PONTO_HOST', { fallback: '127.0.0.1' })
  add('--port <number>', 'HTTPS port, 0 for any free one', 'PONTO_PORT', { parse: parsePort, fallback: 8443 })
  add('--http-port <number>', 'HTTP port, 0 for any free one', 'PONTO_HTTP_PORT', { parse: parsePort, fallback: 8080 })
  add('--http', 'plain HTTP also beyond this machine: keys travel readable', 'PONTO_HTTP', { fallback: false })
  add('--tls-cert <file>', 'your own certificate and its chain, PEM; watched', 'PONTO_TLS_CERT')
  add('--tls-key <file>', 'its private key, PEM; watched', 'PONTO_TLS_KEY')
  add('--name <name>', 'also answer as NAME.openai.azure.com and the like', 'PONTO_NAME')
  add('--san <name>', 'a further name or address for the certificate; repeat it', 'PONTO_SAN', {
    parse: (value, previous) => [...((previous as string[] | undefined) ?? []), value],
    fromText: (text) =>
      text
        .split(',')
        .map((name) => name.trim())
        .filter(Boolean),
    fallback: [],
  })
  add('--config <file>', 'deployments in YAML; watched', 'PONTO_CONFIG')
  add('--secret-key-file <file>', 'key that encrypts stored credentials', 'PONTO_SECRET_KEY_FILE')
  add('--ca-file <file>', 'further authorities to trust towards upstreams, PEM', 'PONTO_CA_FILE')
  add('--rai-policy <name>', 'content filter policy of deployments that name none', 'PONTO_RAI_POLICY', {
    fallback: 'Microsoft.DefaultV2',
  })
  add('--stored-completion-days <days>', 'how long chats with "store": true are kept', 'PONTO_STORED_COMPLETION_DAYS', {
    parse: parseDays,
    fallback: 30,
  })
  add('--usage-hourly-days <days>', 'how long usage is kept by the hour, then by the day', 'PONTO_USAGE_HOURLY_DAYS', {
    parse: parseDays,
    fallback: 90,
  })
  add('--usage-days <days>', 'how long usage is kept', 'PONTO_USAGE_DAYS', { parse: parseUsageDays, fallback: 1_100 })
  add('--request-log-days <days>', 'how long requests are kept in the log, 0 for none', 'PONTO_REQUEST_LOG_DAYS', {
    parse: parseLogDays,
    fallback: 30,
  })
  add('--request-log-mb <megabytes>', 'how large the log gets; the oldest requests go first', 'PONTO_REQUEST_LOG_MB', {
    parse: parseLogMb,
    fallback: 2_048,
  })
  add('--blobs <store>', 'where files are kept: disk, s3://BUCKET?region=..., azure://CONTAINER', 'PONTO_BLOBS', {
    fallback: 'disk',
  })
  add('--batch-behaviour <vendor>', 'whose rules batches follow where they differ', 'PONTO_BATCH_BEHAVIOUR', {
    choices: ['azure', 'openai'],
    fallback: 'azure',
  })
  add('--database-wait <seconds>', 'how long a start waits for a PostgreSQL that is away', 'PONTO_DATABASE_WAIT', {
    parse: parseWait,
    fallback: 60,
  })
  add('--replicas <number>', 'how many servers share the limits counted in Redis', 'PONTO_REPLICAS', {
    parse: parseReplicas,
    fallback: 1,
  })
  add('--quiet', 'print only the endpoint and a key', 'PONTO_QUIET', { fallback: false })
  add('--json', 'print what is ready as one line of JSON', 'PONTO_JSON', { fallback: false })
  add('--log-level <level>', 'least level that is logged', 'PONTO_LOG_LEVEL', { fallback: 'info', choices: logLevels })
  command.addHelpText('after', examples)
  command.action(async () => {
    if (problems.length > 0) command.error(problems.join('\n'))
    const { san, ...options } = command.opts()
    if (Boolean(options.tlsCert) !== Boolean(options.tlsKey)) {
      command.error(
        `error: --tls-cert and --tls-key belong together; ${options.tlsCert ? '--tls-key' : '--tls-cert'} is missing`,
      )
    }
    const given = options as Omit<UpOptions, 'san' | 'folder' | 'isColored'>
    if (options.usageHourlyDays > options.usageDays) {
      command.error(
        `error: --usage-hourly-days ${options.usageHourlyDays} is longer than --usage-days ${options.usageDays}, for which usage is kept at all`,
      )
    }
    for (const file of ['tlsCert', 'tlsKey', 'config', 'secretKeyFile', 'caFile'] as const) {
      if (options[file]) options[file] = resolve(options[file])
    }
    await up({ ...given, san: [...new Set(san as string[])], folder: context.folder(), isColored: context.isColored() })
  })
}

type OptionShape = {
  readonly parse?: (value: string, previous: unknown) => unknown
  /** How a variable is read, where that differs from one use of the flag. */
  readonly fromText?: (text: string) => unknown
  readonly fallback?: unknown
  readonly choices?: readonly string[]
}

function makeOption(flags: string, text: string, shape: OptionShape): Option {
  const option = new Option(flags, text)
  if (shape.choices) option.choices(shape.choices)
  if (shape.parse) option.argParser(shape.parse)
  if (shape.fallback !== undefined) option.default(shape.fallback, describe(shape.fallback))
  return option
}

/** Shown in the help; an empty list or a switch that is off is not worth a word. */
function describe(fallback: unknown): string | undefined {
  return typeof fallback === 'string' || typeof fallback === 'number' ? String(fallback) : undefined
}

/** A variable is the option's default, checked as the flag is. */
function readVariable(option: Option, value: string, shape: OptionShape): unknown {
  if (option.isBoolean()) return readSwitch(value)
  if (shape.choices && !shape.choices.includes(value)) throw new Error(`It must be one of ${shape.choices.join(', ')}.`)
  return shape.fromText?.(value) ?? shape.parse?.(value, undefined) ?? value
}

function readSwitch(value: string): boolean {
  if (/^(1|true|yes|on)$/i.test(value)) return true
  if (/^(0|false|no|off)$/i.test(value)) return false
  throw new Error('It must be true or false.')
}

/** Budgets are read from what a month has brought so far. */
const leastUsageDays = 32

function parseUsageDays(text: string): number {
  const days = parseDays(text)
  if (days >= leastUsageDays) return days
  throw new InvalidArgumentError(
    `Usage is kept for ${leastUsageDays} days at least: budgets of a month are read from it.`,
  )
}

function parsePort(text: string): number {
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port <= 65535) return port
  throw new InvalidArgumentError('A port is a number from 0 to 65535.')
}

function parseReplicas(text: string): number {
  const replicas = Number(text)
  if (/^\d{1,4}$/.test(text) && replicas >= 1) return replicas
  throw new InvalidArgumentError('A number of servers is a whole number from 1 to 9999.')
}

function parseWait(text: string): number {
  const seconds = Number(text)
  if (/^\d{1,5}$/.test(text) && seconds <= 86_400) return seconds
  throw new InvalidArgumentError('A wait is a whole number of seconds from 0 to 86400.')
}

function parseLogDays(text: string): number {
  return text === '0' ? 0 : parseDays(text)
}

/** Below that there would be no room for what a busy minute brings. */
const leastLogMb = 16
const mostLogMb = 1_000_000

function parseLogMb(text: string): number {
  const megabytes = Number(text)
  if (/^\d{1,7}$/.test(text) && megabytes >= leastLogMb && megabytes <= mostLogMb) return megabytes
  throw new InvalidArgumentError(`A number of megabytes is a whole number from ${leastLogMb} to ${mostLogMb}.`)
}

function parseDays(text: string): number {
  const days = Number(text)
  if (/^\d{1,5}$/.test(text) && days >= 1 && days <= maxDays) return days
  throw new InvalidArgumentError(`A number of days is a whole number from 1 to ${maxDays}.`)
}
