import { isJsonObject, type JsonObject } from '../../../core/json.ts'
import { providers } from '../../../snapshot/catalog/shipped/providers.ts'
import type { ImportItem, Reading } from './reading.ts'

/** Whether a document is the configuration of LiteLLM's proxy. */
export function isLitellm(document: unknown): document is JsonObject {
  return isJsonObject(document) && Array.isArray(document.model_list)
}

/**
 * Entries of one name become one deployment with several backends, among which calls are shared as the weights say. Keys that come from the
 * environment have to be there under `PONTO_SECRET_` and their name.
 */
export function readLitellm(document: JsonObject): Reading {
  const notes: string[] = []
  const deployments = new Map<string, JsonObject>()
  for (const [index, entry] of (document.model_list as unknown[]).entries()) {
    const place = `model_list[${index}]`
    const name = isJsonObject(entry) ? entry.model_name : undefined
    const params = isJsonObject(entry) ? entry.litellm_params : undefined
    if (typeof name !== 'string' || !isJsonObject(params) || typeof params.model !== 'string') {
      notes.push(`${place} is left out: it has no model_name and litellm_params.model`)
      continue
    }
    if (name.includes('*')) {
      notes.push(`${place} ${JSON.stringify(name)} is left out: a deployment has one name, and no pattern for many`)
      continue
    }
    const backend = readBackend(params, `${place} ${JSON.stringify(name)}`, notes)
    if (!backend) continue
    const { rpm, tpm } = params
    const key = name.toLowerCase()
    const known = deployments.get(key)
    const type = readType(isJsonObject(entry) ? entry.model_info : undefined)
    deployments.set(key, {
      name: known?.name ?? name,
      model: known?.model ?? { ...splitModel(params.model).model, ...(type && { type }) },
      ...addLimits(known?.rateLimits, rpm, tpm),
      backends: [...((known?.backends as JsonObject[]) ?? []), backend],
    })
  }
  for (const section of ['router_settings', 'litellm_settings', 'general_settings', 'environment_variables']) {
    if (document[section] !== undefined) notes.push(`${section} is left out: it is about that proxy itself`)
  }
  const items = [...deployments.values()].map(
    ({ name, ...deployment }): ImportItem => ({ kind: 'deployment', name: name as string, document: deployment }),
  )
  return { format: 'a LiteLLM configuration', items, unsaid: [], notes }
}

/** `azure/my-deployment` as provider and the model there; one without provider is OpenAI's. */
function splitModel(text: string): { readonly provider: string; readonly model: JsonObject } {
  const cut = text.indexOf('/')
  const provider = cut < 0 ? 'openai' : text.slice(0, cut)
  const name = cut < 0 ? text : text.slice(cut + 1)
  const format = providers[provider]?.format
  return { provider, model: { name, ...(format !== undefined && { format }) } }
}

/** Fields that mean something here, and those that are said elsewhere. */
const readParams = [
  'model',
  'api_base',
  'api_key',
  'api_version',
  'rpm',
  'tpm',
  'weight',
  'max_parallel_requests',
  'order',
]

function readBackend(params: JsonObject, place: string, notes: string[]): JsonObject | undefined {
  const { provider, model } = splitModel(params.model as string)
  const known = Object.hasOwn(providers, provider) ? providers[provider] : undefined
  if (!known) {
    notes.push(
      `${place} is left out: "${provider}" is no provider that is known here; there are ${Object.keys(providers).join(', ')}`,
    )
    return undefined
  }
  const url = typeof params.api_base === 'string' ? known.fromBase(params.api_base) : known.url
  if (url === undefined) {
    notes.push(`${place} is left out: api_base is missing`)
    return undefined
  }
  const others = Object.keys(params).filter((name) => !readParams.includes(name))
  if (others.length > 0) notes.push(`${place}: ${others.join(', ')}: not taken over`)
  const credential = readKey(params.api_key, place, notes)
  return {
    url,
    protocol: known.protocol,
    model: model.name as string,
    ...(typeof params.api_version === 'string' && { apiVersion: params.api_version }),
    ...(typeof params.weight === 'number' && { weight: params.weight }),
    ...(typeof params.order === 'number' && { priority: params.order }),
    ...(typeof params.max_parallel_requests === 'number' && { maxConcurrency: params.max_parallel_requests }),
    ...(credential && { credential }),
  }
}

function readKey(key: unknown, place: string, notes: string[]): JsonObject | undefined {
  if (typeof key !== 'string' || key === '') return undefined
  const variable = /^os\.environ\/(\w+)$/.exec(key)?.[1]
  if (variable === undefined) return { value: key }
  const env = `PONTO_SECRET_${variable.toUpperCase().replace(/^PONTO_SECRET_/, '')}`
  notes.push(`${place}: its key is read from ${env}; set it where Ponto is started`)
  return { env }
}

/** Of several entries the limits are added up: so many there are in all. One without leaves the whole without. */
function addLimits(known: unknown, rpm: unknown, tpm: unknown): JsonObject {
  const before = Array.isArray(known) ? (known as JsonObject[]) : []
  const limits = (
    [
      ['request', rpm],
      ['token', tpm],
    ] as const
  ).flatMap(([key, perMinute]) => {
    if (typeof perMinute !== 'number' || perMinute < 1) return []
    const other = before.find((limit) => limit.key === key)
    return [{ key, renewalPeriod: 60, count: Math.floor(perMinute) + Number(other?.count ?? 0) }]
  })
  return limits.length > 0 ? { rateLimits: limits } : {}
}

function readType(info: unknown): string | undefined {
  const mode = isJsonObject(info) ? info.mode : undefined
  const types: Readonly<Record<string, string>> = {
    chat: 'chat',
    embedding: 'embeddings',
    image_generation: 'images',
    audio_transcription: 'audio',
    audio_speech: 'audio',
    moderation: 'moderation',
    rerank: 'rerank',
  }
  return typeof mode === 'string' ? types[mode] : undefined
}
