import { type Command, InvalidArgumentError } from 'commander'
import type { Budget } from '../../core/exchange.ts'
import type { NamedKeyInput } from '../../snapshot/keys/named-key.ts'
import { parseDurationMs, parseTime } from '../terminal/times.ts'

/** A merge patch: null takes a limit away. */
export type Terms = { -readonly [Field in keyof Omit<NamedKeyInput, 'name'>]: NamedKeyInput[Field] | null }

/** Adds the flags that say whose a key is and what it may use; the function returned gives what was named, once parsed. */
export function addTermsFlags(command: Command, now: () => number): () => Terms {
  const terms: Terms = {}
  const deployments: string[] = []
  const budgets: Budget[] = []
  const add = (flags: string, text: string, apply: (value: string) => void) =>
    command.option(flags, text, (value: string) => {
      apply(value)
      return value
    })
  add('--owner <text>', 'whose it is: a person, a team, where to ask', (text) => {
    terms.owner = text
  })
  add('--deployment <name>', 'a deployment it may use; repeat it for several. Without it: all', (name) => {
    terms.deployments = deployments
    deployments.push(name)
  })
  command.on('option:all-deployments', () => {
    terms.deployments = 'all'
  })
  command.option('--all-deployments', 'it may use every deployment, also those made later')
  add('--tokens-per-minute <number>', 'over all its deployments; "none" for no limit', (value) => {
    terms.tokensPerMinute = parseLimit(value)
  })
  add('--requests-per-minute <number>', 'over all its deployments; "none" for no limit', (value) => {
    terms.requestsPerMinute = parseLimit(value)
  })
  add('--budget <unit/period=limit>', 'tokens or cost per day or month (UTC); repeat it for several', (value) => {
    terms.budgets = budgets
    if (value !== 'none') budgets.push(parseBudget(value))
  })
  add('--expires <when>', 'a date, a time or a span such as 30d; "never" for no end', (value) => {
    terms.expiresAt = value === 'never' ? null : parseExpiry(value, now())
  })
  return () => {
    const { deployment, allDeployments } = command.opts()
    if (deployment && allDeployments) command.error('error: --deployment and --all-deployments exclude each other')
    return terms
  }
}

function parseLimit(text: string): number | null {
  if (text === 'none') return null
  if (/^[1-9]\d{0,12}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number from 1 on, or "none".')
}

function parseBudget(text: string): Budget {
  const match = /^(tokens|cost)\/(day|month)=(\d+(?:\.\d+)?)$/.exec(text)
  if (!match) throw new InvalidArgumentError('It is written as tokens/day=100000 or cost/month=12.50, or "none".')
  return { unit: match[1] as Budget['unit'], period: match[2] as Budget['period'], limit: Number(match[3]) }
}

/** ISO, in UTC. */
function parseExpiry(text: string, now: number): string {
  const span = parseDurationMs(text)
  const time = span === undefined ? parseTime(text) : now + span
  const isPossible = time !== undefined && Number.isFinite(new Date(time).getTime())
  if (!isPossible) {
    throw new InvalidArgumentError(
      'It is a date (2027-01-01), a time (2027-01-01T12:00:00Z), a span (30d, 12h) or "never".',
    )
  }
  return new Date(time).toISOString()
}
