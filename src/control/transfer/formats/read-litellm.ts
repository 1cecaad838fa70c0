import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'
import { providers } from '../../../snapshot/catalog/shipped/providers.ts'
import type { ImportItem, Reading } from './reading.ts'

/** Whether a document is the configuration of LiteLLM's proxy. */
export function isLitellm(document: unknown): document is JsonObject {
  return isJsonObject(document) && Array.isArray(document.model_list)
}

/** What of the other sections has a place here, and which. */
const otherSections: Readonly<Record<string, string>> = {
  router_settings:
    'backends of one deployment stand in for each other by themselves; an alias is a deployment of its own',
  litellm_settings: 'fallbacks are further backends of a deployment, or its spilloverDeploymentName',
  general_settings: 'it is about that proxy itself',
  credential_list: 'give the keys as api_key of the entries',
  mcp_servers: 'it is about that proxy itself',
}

/**
 * Entries of one name become one deployment with several backends, among which calls are shared as the weights say. Keys that come from the
 * environment have to be there under `PONTO_SECRET_` and their name.
 */
export function readLitellm(document: JsonObject): Reading {
  const notes: string[] = []
  const deployments = new Map<string, { readonly name: string; readonly deployment: JsonObject }>()
  const variables = isJsonObject(document.environment_variables) ? document.environment_variables : {}
  for (const [index, entry] of (document.model_list as Json[]).entries()) {
    const place = `model_list[${index}]`
    const { model_name: name, litellm_params: given, model_info: info } = isJsonObject(entry) ? entry : {}
    const params = isJsonObject(given) ? withVariables(given, variables) : undefined
    if (typeof name !== 'string' || typeof params?.model !== 'string') {
      notes.push(`${place} is left out: it has no model_name and litellm_params.model`)
      continue
    }
    const named = `${place} ${JSON.stringify(name)}`
    if (name.includes('*')) {
      notes.push(`${named} is left out: a deployment has one name, and no pattern for many`)
      continue
    }
    const backend = readBackend(params, named, notes)
    if (!backend) continue
    const known = deployments.get(name.toLowerCase())
    const facts = isJsonObject(info) ? info : {}
    // Limits stand in either place.
    const { rpm, tpm } = { ...(entry as JsonObject), ...params }
    deployments.set(name.toLowerCase(), {
      name: known?.name ?? name,
      deployment: {
        ...(known?.deployment ?? { model: readModel(params, facts), ...readPrice({ ...facts, ...params }) }),
        rateLimits: addLimits(known?.deployment.rateLimits, rpm, tpm),
        backends: [...((known?.deployment.backends as JsonObject[]) ?? []), backend],
      },
    })
  }
  for (const [section, why] of Object.entries(otherSections)) {
    if (document[section] !== undefined) notes.push(`${section} is left out: ${why}`)
  }
  const items = [...deployments.values()].map(({ name, deployment }): ImportItem => {
    const { rateLimits, ...rest } = deployment
    const limited = (rateLimits as Json[]).length > 0 ? { ...rest, rateLimits: rateLimits as Json } : rest
    return { kind: 'deployment', name, makeDocument: () => limited }
  })
  return { format: 'a LiteLLM configuration', items, notes }
}

const variablePattern = /^os\.environ\/(\w+)$/

/** With the values that the file itself has for variables, but for keys: those stay in variables. */
function withVariables(params: JsonObject, variables: JsonObject): JsonObject {
  const fields = Object.entries(params).map(([name, value]) => {
    const variable = name !== 'api_key' && typeof value === 'string' ? variablePattern.exec(value)?.[1] : undefined
    const found = variable !== undefined && Object.hasOwn(variables, variable) ? variables[variable] : undefined
    return [name, found ?? value] as const
  })
  return Object.fromEntries(fields)
}

/** `azure/my-deployment` as provider and the name there; one without provider is OpenAI's. */
function splitModel(text: string, provider?: Json): { readonly provider: string; readonly name: string } {
  const cut = text.indexOf('/')
  if (typeof provider === 'string' && !text.startsWith(`${provider}/`)) return { provider, name: text }
  if (cut < 0) return { provider: 'openai', name: text }
  return { provider: text.slice(0, cut), name: text.slice(cut + 1) }
}

/** Of a deployment at Azure the name says nothing of its model; `base_model` does. */
function readModel(params: JsonObject, { base_model: base, mode }: JsonObject): JsonObject {
  const { provider, name } = splitModel(String(params.model), params.custom_llm_provider)
  const format = Object.hasOwn(providers, provider) ? providers[provider]?.format : undefined
  const type = typeof mode === 'string' && Object.hasOwn(modes, mode) ? modes[mode] : undefined
  return {
    name: typeof base === 'string' ? base.slice(base.lastIndexOf('/') + 1) : name,
    ...(format !== undefined && { format }),
    ...(type !== undefined && { type }),
  }
}

const modes: Readonly<Record<string, string>> = {
  chat: 'chat',
  embedding: 'embeddings',
  image_generation: 'images',
  audio_transcription: 'audio',
  audio_speech: 'audio',
  moderation: 'moderation',
  rerank: 'rerank',
}

/** Fields that mean something here, and those that are said elsewhere. */
const readParams = [
  'model',
  'custom_llm_provider',
  'api_base',
  'base_url',
  'api_key',
  'api_version',
  'rpm',
  'tpm',
  'weight',
  'max_parallel_requests',
  'order',
  'input_cost_per_token',
  'output_cost_per_token',
]

function readBackend(params: JsonObject, place: string, notes: string[]): JsonObject | undefined {
  const { provider, name } = splitModel(params.model as string, params.custom_llm_provider)
  const known = Object.hasOwn(providers, provider) ? providers[provider] : undefined
  if (!known) {
    const all = Object.keys(providers).join(', ')
    notes.push(`${place} is left out: ${JSON.stringify(provider)} is no provider that is known here; there are ${all}`)
    return undefined
  }
  const base = params.api_base ?? params.base_url
  const url = typeof base === 'string' ? known.fromBase(base) : known.url
  if (url === undefined) {
    notes.push(`${place} is left out: api_base is missing`)
    return undefined
  }
  if (typeof base === 'string' && variablePattern.test(base)) {
    notes.push(`${place} is left out: its api_base is in a variable; write the address into the file`)
    return undefined
  }
  const others = Object.keys(params).filter((field) => !readParams.includes(field))
  const { api_version: version, weight } = params
  if (typeof version === 'string' && variablePattern.test(version)) others.push('api_version (it is in a variable)')
  const isWhole = Number.isInteger(weight) && (weight as number) >= 1
  if (weight !== undefined && !isWhole) others.push('weight (it is no whole number from 1 on)')
  if (others.length > 0) notes.push(`${place}: ${others.join(', ')}: not taken over`)
  const credential = readKey(params.api_key, place, notes)
  return {
    url,
    protocol: known.protocol,
    model: name,
    ...(typeof version === 'string' && !variablePattern.test(version) && { apiVersion: version }),
    ...(isWhole && { weight: weight as number }),
    ...(typeof params.order === 'number' && { priority: params.order }),
    ...(typeof params.max_parallel_requests === 'number' && { maxConcurrency: params.max_parallel_requests }),
    ...(credential && { credential }),
  }
}

function readKey(key: unknown, place: string, notes: string[]): JsonObject | undefined {
  if (typeof key !== 'string' || key === '') return undefined
  const variable = variablePattern.exec(key)?.[1]
  if (variable === undefined) return { value: key }
  const env = `PONTO_SECRET_${variable.toUpperCase().replace(/^PONTO_SECRET_/, '')}`
  notes.push(`${place}: its key is read from ${env}; set it where Ponto is started`)
  return { env }
}

/** Of several entries the limits are added up: so many there are in all. One without leaves the whole without. */
function addLimits(known: Json | undefined, rpm: Json | undefined, tpm: Json | undefined): JsonObject[] {
  const before = known as JsonObject[] | undefined
  const perMinute = [
    ['request', Number(rpm)],
    ['token', Number(tpm)],
  ] as const
  return perMinute.flatMap(([key, count]) => {
    const other = before?.find((limit) => limit.key === key)
    if (!(count >= 1) || (before && !other)) return []
    return [{ key, renewalPeriod: 60, count: Math.floor(count) + Number(other?.count ?? 0) }]
  })
}

/** There it is of a token, here of a million. */
function readPrice({ input_cost_per_token: input, output_cost_per_token: output }: JsonObject): JsonObject {
  const perMillion = (cost: Json | undefined) => Math.round(Number(cost) * 1e12) / 1e6
  const price = {
    ...(Number(input) >= 0 && input !== null && { inputPerMillion: perMillion(input) }),
    ...(Number(output) >= 0 && output !== null && { outputPerMillion: perMillion(output) }),
  }
  return Object.keys(price).length > 0 ? { price } : {}
}
