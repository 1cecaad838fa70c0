import type { JsonObject } from '../../../core/json.ts'
import { nearestNames } from '../../../core/text/nearest-names.ts'
import { type DocumentProblem, parseDocument } from '../../../core/text/parse-document.ts'
import type { DesiredState } from '../../../snapshot/desired-state.ts'
import { type NamedKeySpec, namedKeySchema } from '../../../snapshot/keys/named-key.ts'
import { refuseDocument } from '../../http/errors.ts'
import { shownFields } from './view.ts'

/**
 * The document as it will be stored: deployments are spelt as they are, and each must exist unless the key named it before. Throws
 * Fault `invalid-request` with every field at fault.
 */
export function acceptNamedKey(
  document: JsonObject,
  name: string,
  state: DesiredState,
  current: NamedKeySpec | undefined,
  now: number,
): NamedKeySpec {
  const parsed = parseDocument(namedKeySchema, { ...withoutShownFields(document, name), name })
  if ('problems' in parsed) throw refuseDocument(parsed.problems)
  const spec = parsed.data
  const problems = [...checkDeployments(spec, state, current), ...checkExpiry(spec, current, now)]
  if (problems.length > 0) throw refuseDocument(problems)
  if (spec.deployments === 'all') return spec
  return { ...spec, deployments: spec.deployments.map((given) => state.get(given)?.spec.name ?? given) }
}

/** What GET shows may be sent back as it is. */
function withoutShownFields(document: JsonObject, name: string): JsonObject {
  const given = document.name
  if (given !== undefined && (typeof given !== 'string' || given.toLowerCase() !== name.toLowerCase())) {
    const shown = typeof given === 'string' ? JSON.stringify(given) : 'another type'
    const text = `got ${shown}, expected ${JSON.stringify(name)} as in the path (a key cannot be renamed), or nothing`
    throw refuseDocument([{ path: ['name'], text }])
  }
  const rest = { ...document }
  for (const field of shownFields) delete rest[field]
  return rest
}

function checkDeployments(
  { deployments }: NamedKeySpec,
  state: DesiredState,
  current: NamedKeySpec | undefined,
): DocumentProblem[] {
  if (deployments === 'all') return []
  const before = current && current.deployments !== 'all' ? current.deployments.map((name) => name.toLowerCase()) : []
  return deployments.flatMap((name, index) => {
    if (state.get(name) || before.includes(name.toLowerCase())) return []
    const names = state.list().map(({ spec }) => spec.name)
    const nearest = nearestNames(name, names)
    const hint = nearest.length > 0 ? `; did you mean ${nearest.map((near) => JSON.stringify(near)).join(', ')}?` : ''
    const text = `there is no deployment ${JSON.stringify(name)}${hint}`
    return [{ path: ['deployments', index], text, code: 'DeploymentNotFound' }]
  })
}

function checkExpiry({ expiresAt }: NamedKeySpec, current: NamedKeySpec | undefined, now: number): DocumentProblem[] {
  if (expiresAt === undefined || expiresAt === current?.expiresAt || Date.parse(expiresAt) > now) return []
  const text = `got ${JSON.stringify(expiresAt)}, expected a time to come (it is ${new Date(now).toISOString()}); to end a key now, revoke it`
  return [{ path: ['expiresAt'], text }]
}
