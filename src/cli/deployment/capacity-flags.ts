import { type Command, InvalidArgumentError, Option } from 'commander'
import { skus } from '../../core/deployment.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import type { DeploymentInput } from '../../snapshot/deployment-spec.ts'
import { parseRateLimits, rateLimitForm } from './rate-limit.ts'

/** Flags about what a deployment may use, how it moves on, what is filtered and what it costs: one for each field of the document. */
export type CapacityFlags = {
  isUsed(command: Command): boolean
  /** The fields they set; null for one that is to be taken away. */
  read(command: Command): JsonObject
}

/** Where the value of a flag goes in the document. */
type Field = { readonly flag: Option; readonly path: readonly [string, string?] }

const most = { units: 1_000_000, calls: 100_000, amount: 1_000_000_000, days: 3_650 } as const

function listFields(): Field[] {
  const field = (flag: Option, ...path: Field['path']): Field => ({ flag, path })
  const price = (name: string, text: string, key: string) =>
    field(new Option(`--price-${name} <amount>`, text).argParser(parseAmount), 'price', key)
  return [
    field(
      new Option('--sku <name>', 'deployment type; without one there are no limits').choices(skuNames),
      'sku',
      'name',
    ),
    field(
      new Option('--capacity <units>', 'of the SKU: thousands of tokens per minute, or PTU').argParser(
        wholeUpTo(most.units),
      ),
      'sku',
      'capacity',
    ),
    field(
      new Option('--rate-limit <limits>', `limits of your own instead: ${rateLimitForm}; comma between two`).argParser(
        parseRateLimits,
      ),
      'rateLimits',
    ),
    field(
      new Option('--token-accounting <how>', 'what counts: real usage, or the estimate made before').choices([
        'settle',
        'estimate',
      ]),
      'tokenAccounting',
    ),
    field(
      new Option('--dynamic-throttling', 'may go over while its quota pool has some left'),
      'dynamicThrottlingEnabled',
    ),
    field(
      new Option('--concurrency <calls>', 'calls at once, of a provisioned SKU').argParser(wholeUpTo(most.calls)),
      'concurrency',
    ),
    field(
      new Option('--spillover <deployment>', 'takes what this one, of a provisioned SKU, cannot'),
      'spilloverDeploymentName',
    ),
    field(
      new Option('--service-tier <tier>', 'which calls get by themselves').choices(['Default', 'Priority']),
      'serviceTier',
    ),
    field(
      new Option('--version-upgrade-option <when>', 'when it moves to another version').choices(upgradeOptions),
      'versionUpgradeOption',
    ),
    field(new Option('--tag <name=value>', 'a word of yours about it; repeat it').argParser(parseTag), 'tags'),
    field(new Option('--rai-policy <name>', 'content filter policy; see "ponto filter policy list"'), 'raiPolicyName'),
    field(
      new Option('--capture <what>', 'keep prompts, answers or both in the request log').argParser(parseCapture),
      'capture',
    ),
    field(new Option('--capture-redact', 'without the personal data in them'), 'capture', 'redact'),
    field(
      new Option('--capture-days <days>', 'for so long; 7 unless given').argParser(wholeUpTo(most.days)),
      'capture',
      'retentionDays',
    ),
    price('input', 'price of a million tokens of input', 'inputPerMillion'),
    price('cached-input', 'of input that was cached; as other input unless given', 'cachedInputPerMillion'),
    price('output', 'of a million tokens of output', 'outputPerMillion'),
    price('request', 'of each request', 'perRequest'),
  ]
}

const skuNames = Object.keys(skus)
const upgradeOptions = [
  'OnceNewDefaultVersionAvailable',
  'OnceCurrentVersionExpired',
  'NoAutoUpgrade',
] as const satisfies readonly DeploymentInput['versionUpgradeOption'][]

/** What an update can take away. */
const removals: readonly { readonly name: string; readonly text: string; readonly field: string }[] = [
  { name: 'sku', text: 'take SKU and capacity away', field: 'sku' },
  { name: 'rate-limit', text: 'take own limits away: the SKU says them again', field: 'rateLimits' },
  { name: 'concurrency', text: 'as many calls at once as come', field: 'concurrency' },
  { name: 'spillover', text: 'no other deployment takes its calls', field: 'spilloverDeploymentName' },
  { name: 'rai-policy', text: "the server's own content filter policy again", field: 'raiPolicyName' },
  { name: 'capture', text: 'keep no prompts and answers', field: 'capture' },
  { name: 'price', text: 'take all prices away', field: 'price' },
  { name: 'tag', text: 'take all tags away', field: 'tags' },
]

/** Adds the flags; with `removes`, also those that take something away. */
export function addCapacityFlags(command: Command, { removes }: { readonly removes: boolean }): CapacityFlags {
  const fields = listFields()
  for (const { flag } of fields) command.addOption(flag)
  if (removes) {
    command.option('--no-dynamic-throttling', 'never goes over its own tokens')
    for (const { name, text } of removals) command.option(`--no-${name}`, text)
  }
  return {
    isUsed: (parsed) => givenIn(parsed, fields).length > 0 || removedFrom(parsed).length > 0,
    read(parsed) {
      const document: Record<string, Json> = {}
      for (const { flag, path } of givenIn(parsed, fields)) {
        const value = parsed.getOptionValue(flag.attributeName()) as Json
        const [outer, inner] = path
        document[outer] = inner === undefined ? value : { ...(document[outer] as JsonObject), [inner]: value }
      }
      for (const { name, field } of removedFrom(parsed)) {
        if (field in document) parsed.error(`error: --no-${name} takes away what another flag sets`)
        document[field] = null
      }
      return document
    },
  }
}

/** Those whose flag was given. A flag that may be negated is there, and true, when nobody gave it. */
function givenIn(command: Command, fields: readonly Field[]): Field[] {
  return fields.filter(({ flag }) => {
    const name = flag.attributeName()
    if (command.getOptionValueSource(name) !== 'cli') return false
    return command.getOptionValue(name) !== false || flag.isBoolean()
  })
}

function removedFrom(command: Command): typeof removals {
  return removals.filter(({ name }) => {
    const attribute = new Option(`--no-${name}`).attributeName()
    return command.getOptionValueSource(attribute) === 'cli' && command.getOptionValue(attribute) === false
  })
}

function parseTag(text: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const cut = text.indexOf('=')
  if (cut < 1) throw new InvalidArgumentError('It must be NAME=VALUE.')
  return { ...before, [text.slice(0, cut)]: text.slice(cut + 1) }
}

function parseCapture(text: string): JsonObject {
  const words = text.split(',').map((word) => word.trim())
  if (words.some((word) => word !== 'prompts' && word !== 'answers')) {
    throw new InvalidArgumentError('It must be prompts, answers, or prompts,answers.')
  }
  return { prompts: words.includes('prompts'), answers: words.includes('answers') }
}

function wholeUpTo(limit: number): (text: string) => number {
  return (text) => {
    const number = Number(text)
    if (/^\d+$/.test(text) && number >= 1 && number <= limit) return number
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${limit}.`)
  }
}

function parseAmount(text: string): number {
  const number = Number(text)
  if (/^\d+(\.\d+)?$/.test(text) && number <= most.amount) return number
  throw new InvalidArgumentError(`It must be a number from 0 to ${most.amount}, such as 2.5.`)
}
