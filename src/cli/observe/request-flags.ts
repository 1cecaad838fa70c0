import { type Command, InvalidArgumentError } from 'commander'
import { makeTime } from '../terminal/time-option.ts'

/** Which requests are meant: the flags that `ponto logs` has for it. */
export function addRequestFlags(command: Command): void {
  command
    .addOption(makeTime('--since <when>', 'from when on: a date, a time, or how long ago (30m, 24h, 7d)'))
    .addOption(makeTime('--until <when>', 'until when'))
    .option('--deployment <name>', 'that served, or was asked for')
    .option('--key <name>', 'of one key, or of one whom a token names')
    .option('--status <status>', '429, or 4xx')
    .option('--code <code>', 'why it ended badly: rate-limited, content-filtered, upstream-timeout, ...')
    .option('--model <name>', 'of one model')
    .option('--operation <kind>', 'chat, completion, embed, image, ...')
    .option('--min-ms <milliseconds>', 'that took so long at least', readWhole)
    .option('--filtered', 'of which a content filter kept something back')
    .option('--limited', 'that a limit or a budget refused')
    .option('--text <text>', 'whose record holds the text anywhere: an address, a trace, a client request id')
}

/** The same as the server reads it. `resource` is the one that the command line names. */
export function readRequestFlags(
  options: Readonly<Record<string, unknown>>,
  resource: string | undefined,
): URLSearchParams {
  const query = new URLSearchParams()
  const { since, until, filtered, limited, minMs, deployment, key, status, code, model, operation, text } = options
  const given = { from: since, to: until, resource, deployment, key, status, code, model, operation, minMs, text }
  for (const [name, value] of Object.entries(given)) if (value !== undefined) query.set(name, String(value))
  if (filtered) query.set('filtered', 'true')
  if (limited) query.set('limited', 'true')
  return query
}

function readWhole(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number of milliseconds.')
}
