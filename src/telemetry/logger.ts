import pino from 'pino'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export type Logger = Readonly<Record<LogLevel, (fields: object, message: string) => void>>

export type LoggerOptions = {
  readonly level: LogLevel | 'silent'
  /** Lines for people instead of JSON. */
  readonly isReadable: boolean
}

/** Logs on stderr; standard output belongs to what a person asked for. Anything that looks like a credential is cut out. */
export function createLogger({ level, isReadable }: LoggerOptions): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: ['*.authorization', '*["api-key"]', '*.credential'], censor: '[redacted]' },
  }
  const stderr = pino.destination({ dest: 2, sync: true })
  const log = pino(options, isReadable ? { write: (line: string) => void stderr.write(formatLine(line)) } : stderr)
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
  }
}

/** `10:15:02 warn  the message  code=x requestId=y`; what runs over several lines follows below. */
function formatLine(line: string): string {
  const { level, time, msg, err, ...fields } = JSON.parse(line)
  const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${String(value)}`)
  const stack = err?.stack ? `\n${err.stack}` : ''
  const name = pino.levels.labels[level] ?? ''
  return `${String(time).slice(11, 19)} ${name.padEnd(5)} ${msg}${rest.length > 0 ? ` ${rest.join('')}` : ''}${stack}\n`
}
