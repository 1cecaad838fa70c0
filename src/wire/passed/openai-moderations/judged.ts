import { Fault } from '../../../core/fault.ts'
import { type FilterCategory, leastSeverity } from '../../../core/filter/categories.ts'
import type { Finding } from '../../../core/filter/engine.ts'
import type { JsonObject } from '../../../core/json.ts'
import { randomId } from '../../../core/text/id.ts'
import { readBody } from '../../read-body.ts'
import { moderationBodySchema } from './server.ts'

/** Moderations that are not passed on but answered by filter engines. */

/** OpenAI's own models: whoever asks for them, or for none, is not particular about who judges. */
export function isUsualModel(name: string): boolean {
  return /^(omni|text)-moderation-[\w.-]+$/i.test(name)
}

const maxInputs = 2048

/** The texts of each input: a list of texts is as many inputs, a list of parts is one. Throws Fault `invalid-request`. */
export function readModerationInputs(body: JsonObject): readonly (readonly string[])[] {
  const { input } = readBody(moderationBodySchema, body)
  if (typeof input === 'string') return [[input]]
  if (input.length === 0 || input.length > maxInputs) {
    throw refuse('input', `got ${input.length} items, expected 1 to ${maxInputs}`)
  }
  if (input.every((item) => typeof item === 'string')) return input.map((text) => [text])
  return [input.map((part, index) => readPart(part, `input[${index}]`))]
}

function readPart(part: string | { type: string; text?: unknown }, place: string): string {
  if (typeof part === 'string') return part
  if (part.type === 'text' && typeof part.text === 'string') return part.text
  const why =
    'got an image, expected text: the engines of this server do not see. Name a deployment of a model that does in model'
  throw refuse(place, why)
}

function refuse(param: string, why: string): Fault {
  return new Fault('invalid-request', `Invalid value for '${param}': ${why}.`, { param })
}

/** OpenAI's categories, and which of ours says it of a text; undefined for what our engines do not tell apart. */
const categories = {
  harassment: undefined,
  'harassment/threatening': undefined,
  hate: 'hate',
  'hate/threatening': undefined,
  illicit: undefined,
  'illicit/violent': undefined,
  'self-harm': 'self_harm',
  'self-harm/instructions': undefined,
  'self-harm/intent': undefined,
  sexual: 'sexual',
  'sexual/minors': undefined,
  violence: 'violence',
  'violence/graphic': undefined,
} as const satisfies Record<string, FilterCategory | undefined>

/** What engines are asked for. */
export const moderationCategories: ReadonlySet<FilterCategory> = new Set(
  Object.values(categories).filter((category) => category !== undefined),
)

/**
 * The answer, of what was found in each input. `model` is what judged. A category that nothing judged applies to no type of input, which
 * is how this API says so.
 */
export function writeModeration(model: string, inputs: readonly (readonly Finding[])[]): JsonObject {
  return { id: `modr-${randomId(29)}`, model, results: inputs.map(writeResult) }
}

function writeResult(findings: readonly Finding[]): JsonObject {
  const flags: Record<string, boolean> = {}
  const scores: Record<string, number> = {}
  const types: Record<string, string[]> = {}
  for (const [name, category] of Object.entries(categories)) {
    const own = findings.filter((finding) => finding.category === category)
    flags[name] = own.some(({ severity }) => severity >= leastSeverity('medium'))
    scores[name] = Math.max(0, ...own.map(({ score, severity }) => score ?? severity / 7))
    types[name] = category === undefined ? [] : ['text']
  }
  return {
    flagged: Object.values(flags).includes(true),
    categories: flags,
    category_scores: scores,
    category_applied_input_types: types,
  }
}
