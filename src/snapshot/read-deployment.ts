import { isIP } from 'node:net'
import { protocolsWithBatches } from '../backend/presets.ts'
import { judgeAddress, normalizeHost } from '../backend/transport/dial/address-guard.ts'
import type { ModelRef } from '../core/deployment.ts'
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts'
import { type DocumentProblem, parseDocument } from '../core/text/parse-document.ts'
import { type CapacityRules, judgeCapacity } from './capacity/judge-capacity.ts'
import { findModelBackends } from './capacity/model-backends.ts'
import { type BackendSpec, type DeploymentSpec, deploymentSpecSchema, guardCredentials } from './deployment-spec.ts'
import { fillDefaults, judgePolicies, type PolicyRules } from './policy/judge-deployment.ts'

export type ReadDeploymentOptions = {
  /** The models the built-in engine can run. */
  readonly builtinModels: readonly ModelRef[]
  /** The value of an environment variable. */
  readSecret(name: string): string | undefined
  /** Which credentials are allowed where the document comes from. */
  readonly credentialRule: string
  readonly capacityRules: CapacityRules
  /** The content filter policies there are; not judged when absent. */
  readonly policyNames?: readonly string[] | undefined
  /** The operator's policies over deployments. */
  readonly policyRules?: PolicyRules | undefined
}

/**
 * Judges a deployment as an operator wrote it: fields, addresses, credentials, that its model exists, and the policies over deployments,
 * whose defaults are filled in first. Shared by the configuration file and the management API, so that both refuse the same things in the same words.
 */
export function readDeployment(
  input: unknown,
  options: ReadDeploymentOptions,
): { readonly spec: DeploymentSpec } | { readonly problems: readonly DocumentProblem[] } {
  const parsed = parseDocument(
    deploymentSpecSchema,
    completeModel(fillDefaults(input, options.policyRules?.policies ?? []), options),
    guardCredentials(options.credentialRule),
  )
  if ('problems' in parsed) return parsed
  const spec = parsed.data
  const problems = [
    ...(spec.backends
      ? spec.backends.flatMap((backend, index) => checkBackend(backend, ['backends', index], options))
      : checkBuiltin(spec.model, options.builtinModels)),
    ...judgeCapacity(spec, options.capacityRules),
    ...judgePolicyName(spec, options.policyNames),
  ]
  if (problems.length > 0) return { problems }
  const disallowed = options.policyRules ? judgePolicies(spec, options.policyRules, options.capacityRules) : []
  return disallowed.length > 0 ? { problems: disallowed } : { spec }
}

/** Fills in format and version where the model is known: the operator need not, and the default version of the day is pinned. */
function completeModel(input: unknown, { builtinModels, capacityRules }: ReadDeploymentOptions): unknown {
  if (!isJsonObject(input) || !isJsonObject(input.model)) return input
  const { name, format, version } = input.model
  if (typeof name !== 'string') return input
  if (input.backends === undefined) {
    const builtin = builtinModels.find((candidate) => isSameName(candidate.name, name))
    if (builtin)
      return {
        ...input,
        model: { format: builtin.format, version: builtin.version, ...input.model, name: builtin.name },
      }
  }
  const publisher = typeof format === 'string' ? format : undefined
  const [known] = capacityRules.catalog.versionsOf(name, publisher)
  const placed = placeModel(input, { name, format: publisher ?? known?.format }, capacityRules)
  if (version !== undefined) return placed
  return known ? { ...placed, model: { format: known.format, version: known.version, ...input.model } } : placed
}

/** A deployment that does not say where it runs gets what the operator says of its model. */
function placeModel(
  input: JsonObject,
  model: { readonly name: string; readonly format: string | undefined },
  { modelBackends = [] }: CapacityRules,
): JsonObject {
  const backends = input.backends === undefined ? findModelBackends(model, modelBackends) : undefined
  return backends ? { ...input, backends: backends as unknown as Json } : input
}

function checkBuiltin(asked: ModelRef, builtinModels: readonly ModelRef[]): DocumentProblem[] {
  const isThere = builtinModels.some(
    ({ format, name, version }) => isSameName(name, asked.name) && format === asked.format && version === asked.version,
  )
  if (isThere) return []
  const known = builtinModels.map(formatModel).join('; ') || 'none'
  const text =
    `there is no built-in model ${formatModel(asked)}; there is: ${known}. To use a model that runs elsewhere, ` +
    'give backends: [{url: "https://.../v1"}], or say where it runs under "modelBackends" of the configuration file'
  return [{ path: ['model'], text, code: 'InvalidModel' }]
}

function judgePolicyName({ raiPolicyName }: DeploymentSpec, known: readonly string[] | undefined): DocumentProblem[] {
  if (raiPolicyName === undefined || !known || known.some((name) => isSameName(name, raiPolicyName))) return []
  const text = `got ${JSON.stringify(raiPolicyName)}, expected one of ${known.map((name) => JSON.stringify(name)).join(', ')}`
  return [{ path: ['raiPolicyName'], text, code: 'InvalidRaiPolicy' }]
}

function formatModel({ format, name, version }: ModelRef): string {
  return `"${name}" (format ${format}, version ${version})`
}

function isSameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}

function checkBackend(
  backend: BackendSpec,
  path: readonly PropertyKey[],
  options: ReadDeploymentOptions,
): DocumentProblem[] {
  const problems: DocumentProblem[] = []
  const urlText = judgeUrl(backend.url)
  if (urlText) problems.push({ path: [...path, 'url'], text: urlText })
  const { credential, auth, protocol, nativeBatch } = backend
  if (nativeBatch && !protocolsWithBatches.includes(protocol)) {
    const text = `got true, but ${JSON.stringify(protocol)} has no batches; ${protocolsWithBatches.join(', ')} have. Without it the lines are run here one by one`
    problems.push({ path: [...path, 'nativeBatch'], text })
  }
  if (credential && auth === 'none') {
    problems.push({ path: [...path, 'auth'], text: 'got "none" beside a credential, expected one or the other' })
  }
  if (credential && 'env' in credential && !options.readSecret(credential.env)) {
    const text = `the variable ${credential.env} is not set; set it where Ponto is started, and start Ponto again`
    problems.push({ path: [...path, 'credential', 'env'], text, code: 'InvalidCredential' })
  }
  return problems
}

/**
 * Why a base URL is refused. A literal address is judged here already; a name is judged when it is connected to, by the address it
 * then has. The URL itself is not repeated where it may hold a secret.
 */
export function judgeUrl(text: string): string | undefined {
  const url = new URL(text)
  if (url.username || url.password) return 'a user or password does not belong in a URL; give it as credential'
  if (url.hash) return `got ${JSON.stringify(url.hash)} at the end, expected a URL without fragment`
  if (url.search) return 'got a query, expected a URL without one (the API version goes into apiVersion)'
  const host = normalizeHost(url.hostname) ?? url.hostname
  const reason = isIP(host) ? judgeAddress(host) : undefined
  return reason && `the address ${host} is refused: ${reason}`
}
