import { z } from 'zod'
import { deploymentKey } from '../../core/deployment.ts'
import { isJsonObject } from '../../core/json.ts'
import type { ResourceId } from '../../core/resource.ts'
import { type DocumentProblem, parseDocument } from '../../core/text/parse-document.ts'
import { judgeSpillover } from '../capacity/judge-capacity.ts'
import { describeShortage, findPool, type QuotaPool } from '../capacity/quota.ts'
import type { DeploymentSpec } from '../deployment-spec.ts'
import type { DeclaredFilters } from '../filter/filters-state.ts'
import { judgeShares } from '../plan/shares.ts'
import { type ReadDeploymentOptions, readDeployment } from '../read-deployment.ts'
import { type FilterSectionOptions, readFilterSections } from './filter-sections.ts'

/** What a resource has, at the top of the file for the server's own and within `resources` for others. */

/** A deployment that the configuration file declares, and where. */
export type FileDeployment = { readonly spec: DeploymentSpec; readonly file: string; readonly line: number }

/** A deployment, its resource, and the way to it in the file. */
export type PlacedDeployment = {
  readonly spec: DeploymentSpec
  readonly resource: ResourceId
  readonly path: readonly PropertyKey[]
}

export type ContentsOptions = Omit<ReadDeploymentOptions, 'credentialRule' | 'policyNames'> &
  FilterSectionOptions & {
    readonly file: string
    /** Where the value stands in the file, and in which line a place below it begins. */
    readonly path: readonly PropertyKey[]
    lineOf(path: readonly PropertyKey[]): number
    readonly resource: ResourceId
  }

export type Contents = {
  readonly specs: readonly PlacedDeployment[]
  readonly filters: DeclaredFilters
  readonly problems: readonly DocumentProblem[]
}

const credentialRule =
  '{env: PONTO_SECRET_NAME}, with the secret in that variable: a secret does not belong in this file. ' +
  'Or make the deployment with "ponto deployment create", which stores its credential encrypted'

export const contentSections = { deployments: z.array(z.unknown()).optional() } as const

/** Judges deployments and content filters. That the value is an object, and has no other fields, is for others to judge. */
export function readContents(value: unknown, options: ContentsOptions): Contents {
  const { file, path, lineOf, resource } = options
  const filters = readFilterSections(value, file, options, (section, index) => lineOf([...path, section, index]))
  const { specs, problems } = readDeployments(value, { ...options, policyNames: filters.policyNames })
  const placed = specs.map(({ spec, index }) => ({ spec, resource, path: [...path, 'deployments', index] }))
  const within = (problem: DocumentProblem) => ({ ...problem, path: [...path, ...problem.path] })
  return {
    specs: placed,
    filters: filters.filters,
    problems: [
      ...[...filters.problems, ...problems].map(within),
      ...findDuplicates(placed, lineOf),
      ...findLostSpills(placed),
    ],
  }
}

function readDeployments(
  value: unknown,
  options: Omit<ReadDeploymentOptions, 'credentialRule'>,
): {
  readonly specs: readonly { readonly spec: DeploymentSpec; readonly index: number }[]
  readonly problems: readonly DocumentProblem[]
} {
  const parsed = parseDocument(z.object(contentSections), isJsonObject(value) ? value : {})
  if ('problems' in parsed) return { specs: [], problems: parsed.problems }
  const specs: { spec: DeploymentSpec; index: number }[] = []
  const problems: DocumentProblem[] = []
  for (const [index, input] of (parsed.data.deployments ?? []).entries()) {
    const path = ['deployments', index]
    const secrets = findSecrets(input)
    const reading = secrets.length > 0 ? { problems: secrets } : readDeployment(input, { ...options, credentialRule })
    if ('spec' in reading) specs.push({ spec: reading.spec, index })
    else problems.push(...reading.problems.map((problem) => ({ ...problem, path: [...path, ...problem.path] })))
  }
  return { specs, problems }
}

/** Credentials that hold a secret, open or sealed: valid in the schema, since the management API and the tables use it too. */
function findSecrets(input: unknown): DocumentProblem[] {
  const backends: unknown = isJsonObject(input) ? input.backends : undefined
  if (!Array.isArray(backends)) return []
  return backends.flatMap((backend: unknown, index) => {
    const credential: unknown = isJsonObject(backend) ? backend.credential : undefined
    const isSecret = isJsonObject(credential) && ('value' in credential || 'sealed' in credential)
    const text = `got a secret, expected ${credentialRule}`
    return isSecret ? [{ path: ['backends', index, 'credential'], text }] : []
  })
}

function findDuplicates(
  specs: readonly PlacedDeployment[],
  lineOf: (path: readonly PropertyKey[]) => number,
): DocumentProblem[] {
  const first = new Map<string, PlacedDeployment>()
  const problems: DocumentProblem[] = []
  for (const entry of specs) {
    const key = deploymentKey(entry.spec.name)
    const earlier = first.get(key)
    if (!earlier) {
      first.set(key, entry)
      continue
    }
    const text =
      `"${entry.spec.name}" in line ${lineOf(entry.path)} is declared before, as "${earlier.spec.name}" in line ` +
      `${lineOf(earlier.path)} (names match without regard to case)`
    problems.push({ path: [...entry.path, 'name'], text })
  }
  return problems
}

function findLostSpills(specs: readonly PlacedDeployment[]): DocumentProblem[] {
  const names = specs.map(({ spec }) => spec.name)
  return specs.flatMap(({ spec, path }) =>
    judgeSpillover(spec, names).map((problem) => ({ ...problem, path: [...path, ...problem.path] })),
  )
}

/** Deployments that are more than their quota pool has, in the order in which they are declared; of all resources. */
export function findShortages(specs: readonly PlacedDeployment[], pools: readonly QuotaPool[]): DocumentProblem[] {
  const used = new Map<QuotaPool, number>()
  return specs.flatMap(({ spec, path }) => {
    const pool = findPool(spec, pools)
    if (!pool) return []
    const before = used.get(pool) ?? 0
    const asked = spec.sku?.capacity ?? 0
    used.set(pool, before + asked)
    if (before + asked <= pool.limit) return []
    return [{ path: [...path, 'sku', 'capacity'], text: describeShortage(asked, before, pool) }]
  })
}

/** Deployments for which more calls are to be kept than a backend takes; of all resources. */
export function findShareProblems(specs: readonly PlacedDeployment[]): DocumentProblem[] {
  const all = specs.map((item) => ({ ...item.spec, resource: item.resource }))
  return specs.flatMap(({ path }, index) => {
    const own = all[index] as (typeof all)[number]
    const others = all.filter((other) => other !== own)
    return judgeShares(own, others).map((problem) => ({ ...problem, path: [...path, ...problem.path] }))
  })
}

/** As the rest of the server reads them. */
export function listDeclared(
  { specs }: Contents,
  { file, lineOf }: Pick<ContentsOptions, 'file' | 'lineOf'>,
): FileDeployment[] {
  return specs.map(({ spec, path }) => ({ spec, file, line: lineOf(path) }))
}
