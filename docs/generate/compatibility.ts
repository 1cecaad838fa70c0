import { z } from 'zod'
import { type Protocol, presets, protocols } from '../../src/backend/presets.ts'
import { takesTokenIds } from '../../src/backend/tokens/text-inputs.ts'
import { type Call, type CallKind, isPassCall } from '../../src/core/call.ts'
import { Fault } from '../../src/core/fault.ts'
import type { Json, JsonObject } from '../../src/core/json.ts'
import { checkCall } from '../../src/engine/check-call.ts'
import type { StoredCompletionsTable } from '../../src/port/tables/stored-completions/port.ts'
import { asksToStore, withoutStoring } from '../../src/service/stored-completions/record.ts'
import { createStoredCompletionRoutes } from '../../src/service/stored-completions/routes.ts'
import {
  chatKeys,
  embeddingKeys,
  inferenceChatBodySchema,
  inferenceEmbeddingBodySchema,
} from '../../src/wire/azure-inference/schema.ts'
import { serverEnds } from '../../src/wire/index.ts'
import { chatBodySchema } from '../../src/wire/openai-chat/schema.ts'
import { completionBodySchema } from '../../src/wire/openai-completions/schema.ts'
import { embeddingBodySchema } from '../../src/wire/openai-embeddings/schema.ts'
import { requestSchema as responsesSchema } from '../../src/wire/openai-responses/schema.ts'
import type { ClientEnd, ServerEnd } from '../../src/wire/wire.ts'
import {
  chatSamples,
  completionSamples,
  embeddingSamples,
  inferenceEmbeddingSamples,
  responsesSamples,
  type Sample,
} from './samples.ts'

/**
 * docs/reference/compatibility.md: what becomes of each field of a request. Nothing is claimed: every sample is read by the server
 * end, judged by the built-in engine and written by each client end, and the page says what happened.
 */

type Surface = {
  readonly title: string
  readonly wire: string
  readonly schema: z.ZodObject
  /** Keys that are not extra parameters; every key where absent. */
  readonly keys?: ReadonlySet<string>
  readonly base: JsonObject
  readonly samples: readonly Sample[]
}

const chatBase = { model: 'm', messages: [{ role: 'user', content: 'hi' }] }
const embedBase = { model: 'm', input: 'hi' }

const surfaces: readonly Surface[] = [
  { title: 'Chat, Azure OpenAI', wire: 'openai-chat', schema: chatBodySchema, base: chatBase, samples: chatSamples },
  {
    title: 'Chat, Azure AI Model Inference',
    wire: 'azure-inference-chat',
    schema: inferenceChatBodySchema,
    keys: chatKeys,
    base: chatBase,
    samples: chatSamples,
  },
  {
    title: 'Completions, Azure OpenAI',
    wire: 'openai-completions',
    schema: completionBodySchema,
    base: { model: 'm', prompt: 'hi' },
    samples: completionSamples,
  },
  {
    title: 'Responses, Azure OpenAI',
    wire: 'openai-responses',
    schema: responsesSchema,
    base: { model: 'm', input: 'hi' },
    samples: responsesSamples,
  },
  {
    title: 'Embeddings, Azure OpenAI',
    wire: 'openai-embeddings',
    schema: embeddingBodySchema,
    base: embedBase,
    samples: embeddingSamples,
  },
  {
    title: 'Embeddings, Azure AI Model Inference',
    wire: 'azure-inference-embeddings',
    schema: inferenceEmbeddingBodySchema,
    keys: embeddingKeys,
    base: embedBase,
    samples: inferenceEmbeddingSamples,
  },
]

export function renderCompatibility(): string {
  return [
    '# What becomes of each request field',
    'Made by `node bin/ponto.mjs --run-script docs/generate/generate.ts` from the schemas and by running the code: each row is a request that was read, judged by the built-in ' +
      'engine and written for every kind of upstream. Do not edit; a test holds it to the code.',
    renderLegend(),
    renderRoutes(),
    ...surfaces.map(renderSurface),
    '',
  ].join('\n\n')
}

function renderLegend(): string {
  return [
    '| word | means |',
    '|---|---|',
    '| supported | the built-in engine acts on it |',
    '| taken | accepted, and nothing follows from it: a label, or what is so anyway |',
    '| refused | the caller gets an error that names the field: 422 on the inference surface, 400 on the others |',
    '| as it is | the upstream speaks the same protocol and gets the bytes of the request, but for the model name |',
    '| sent | written in the words of the upstream |',
    '| as text | token ids are decoded with cl100k_base and sent as text |',
    '| not sent | does not reach the upstream: Ponto does what it asks for itself, or it asks for nothing |',
    '| - | upstreams of this protocol have no such operation |',
    '',
    'On the inference surface a field marked _extra_ is refused with 400 unless the header `extra-parameters` is `pass-through`; with ' +
      '`drop` it is left out. The columns say what follows from `pass-through`.',
    '',
    'A backend with `responses` among its `chatApis` gets requests for responses as they are, with `"store": false` where they say nothing of ' +
      'it. The columns are of backends without.',
    '',
    'Token ids reach upstreams of protocol `azure-openai` as they are, and those of `openai` if the model, by its name there or as the ' +
      'deployment says, is text-embedding-ada-002, text-embedding-3-small or text-embedding-3-large. All others get text.',
  ].join('\n')
}

function renderRoutes(): string {
  const rows = serverEnds.flatMap((end) =>
    end.routes.map(({ method, path, apiVersion }) => [
      `\`${method} ${path}\``,
      end.kind,
      apiVersion,
      isPassCall({ kind: end.kind } as Call) ? 'refused' : 'yes',
      ...protocols.map((protocol) => (clientOf(protocol, end.kind) ? 'yes' : '-')),
    ]),
  )
  const table = renderTable(['route', 'operation', 'api-version', 'built-in', ...protocols], rows)
  return `## Routes\n\n${table}\n\n${renderServiceRoutes()}`
}

/** Routes that no model answers. Their handlers are not called here. */
function renderServiceRoutes(): string {
  const routes = createStoredCompletionRoutes({ table: {} as StoredCompletionsTable, settle: async () => {} })
  const rows = routes.map(({ method, path, apiVersion }) => [`\`${method} ${path}\``, 'stored completions', apiVersion])
  return `Answered by Ponto itself, whatever answers the models:\n\n${renderTable(['route', 'operation', 'api-version'], rows)}`
}

function renderSurface(surface: Surface): string {
  requireSamples(surface)
  const end = serverEnds.find(({ wire }) => wire === surface.wire) as ServerEnd
  const paths = end.routes.map(({ path }) => `\`${path}\``).join(', ')
  const rows = surface.samples.map((sample) => renderField(surface, end, sample))
  const table = renderTable(['field', 'takes', 'built-in', ...protocols, 'note'], rows)
  return `## ${surface.title}\n\n${paths}\n\n${table}`
}

/** A field that was added to a schema and forgotten here stops the page. */
function requireSamples({ title, schema, samples, base }: Surface): void {
  const sampled = new Set(samples.flatMap(({ set }) => Object.keys(set)))
  const missing = Object.keys(schema.shape).filter((field) => !sampled.has(field) && !(field in base))
  if (missing.length > 0) throw new Error(`${title}: no sample in docs/generate/samples.ts of ${missing.join(', ')}`)
}

function renderField(surface: Surface, end: ServerEnd, { field, set, with: needs }: Sample): string[] {
  const [key] = Object.keys(set) as [string]
  const isExtra = surface.keys !== undefined && !surface.keys.has(key)
  const takes = key === 'messages' ? '' : describeType(surface.schema.shape[key])
  const name = `\`${field}\`${isExtra ? ' _extra_' : ''}`
  let plain: Call
  let call: Call
  try {
    plain = read(end, { ...surface.base, ...needs })
    call = read(end, { ...surface.base, ...needs, ...set })
  } catch (error) {
    return [name, takes, 'refused', ...protocols.map(() => 'refused'), reasonOf(error)]
  }
  if (asksToStore(call)) {
    const onward = withoutStoring(call)
    const words = protocols.map((protocol) => follow(protocol, onward, plain, true))
    return [name, takes, 'supported', ...words, 'The answer is stored here, with its prompt and `metadata`.']
  }
  const engine = judge(call, plain)
  return [name, takes, engine.word, ...protocols.map((protocol) => follow(protocol, call, plain)), engine.note]
}

function read(end: ServerEnd, body: JsonObject): Call {
  const text = JSON.stringify(body)
  return end.readCall({ text, body, header: (name) => (name === 'extra-parameters' ? 'pass-through' : null) })
}

function judge(call: Call, plain: Call): { word: string; note: string } {
  try {
    checkCall(call)
  } catch (error) {
    return { word: 'refused', note: reasonOf(error) }
  }
  const canonical = (of: Call): string =>
    JSON.stringify({ ...of, rest: undefined, source: undefined, hints: undefined })
  return { word: canonical(call) === canonical(plain) ? 'taken' : 'supported', note: '' }
}

/** `isChanged`: not even an upstream of the same protocol gets the request as it came. */
function follow(protocol: Protocol, call: Call, plain: Call, isChanged = false): string {
  const client = clientOf(protocol, call.kind)
  if (!client) return '-'
  const hasIds = call.kind === 'embed' && typeof call.inputs[0] === 'object'
  if (hasIds && !takesTokenIds(protocol, 'text-embedding-3-small')) return 'as text'
  if (call.source?.wire === client.wire && !isChanged) return 'as it is'
  try {
    return client.writeCall(call, 'm').text === client.writeCall(plain, 'm').text ? 'not sent' : 'sent'
  } catch (error) {
    reasonOf(error)
    return 'refused'
  }
}

function clientOf(protocol: Protocol, kind: CallKind): ClientEnd | undefined {
  const ends: Partial<Record<CallKind, ClientEnd>> = presets[protocol].clientEnds
  return ends[kind]
}

function reasonOf(error: unknown): string {
  if (error instanceof Fault) return error.message
  throw error
}

/** A JSON Schema in a few words: `number 0 to 2`, `"low", "high"`, `list of at most 128`. */
function describeType(schema: unknown): string {
  if (schema === undefined) return 'anything'
  const json = z.toJSONSchema(schema as z.ZodType, { unrepresentable: 'any', io: 'input' }) as JsonObject
  return describeSchema(json)
}

function describeSchema(schema: JsonObject): string {
  if (typeof schema.description === 'string') return schema.description
  const options = (schema.anyOf ?? schema.oneOf) as JsonObject[] | undefined
  if (options) {
    const words = options.map(describeSchema).filter((word) => word !== '')
    return [...new Set(words)].join(' or ')
  }
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => `\`${value}\``).join(' ')
  if (schema.const !== undefined) return `\`${schema.const}\``
  const type = Array.isArray(schema.type) ? schema.type.find((name) => name !== 'null') : schema.type
  if (type === 'null') return ''
  if (type === 'array') return describeList(schema)
  const bounds = type === 'string' ? [schema.minLength, schema.maxLength] : [schema.minimum, schema.maximum]
  return `${nouns[String(type)] ?? String(type)}${describeBounds(bounds, type === 'string' ? ' character' : '')}`
}

const nouns: Readonly<Record<string, string>> = {
  integer: 'whole number',
  boolean: 'true or false',
  string: 'text',
  object: 'object',
}

function describeList(schema: JsonObject): string {
  const items = schema.items as JsonObject | undefined
  const of = items && ['string', 'integer', 'number'].includes(String(items.type)) ? ` of ${describeSchema(items)}` : ''
  return `list${of}${describeBounds([schema.minItems, schema.maxItems], ' item')}`
}

/** `, 1 to 128 items`; bounds beyond what a number holds exactly are none. */
function describeBounds([min, max]: (Json | undefined)[], unit: string): string {
  const low = typeof min === 'number' && min > -(2 ** 53) ? min : undefined
  const high = typeof max === 'number' && max < 2 ** 53 - 1 ? max : undefined
  const plural = unit === '' || (high ?? low) === 1 ? unit : `${unit}s`
  if (low !== undefined && high !== undefined) return `, ${low} to ${high}${plural}`
  if (high !== undefined) return `, at most ${high}${plural}`
  return low !== undefined ? `, at least ${low}${plural}` : ''
}

export function renderTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(heads), `|${'---|'.repeat(heads.length)}`, ...rows.map(line)].join('\n')
}
