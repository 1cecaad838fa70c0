import pino from 'pino'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export type Logger = Readonly<Record<LogLevel, (fields: object, message: string) => void>>

/** JSON lines on stderr; standard output belongs to what a person asked for. Anything that looks like a credential is cut out. */
export function createLogger(level: LogLevel | 'silent'): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: ['*.authorization', '*["api-key"]', '*.credential'], censor: '[redacted]' },
  }
  const log = pino(options, pino.destination({ dest: 2, sync: true }))
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
  }
}
