import { type Document, LineCounter, parseDocument as parseYaml } from 'yaml'
import { z } from 'zod'
import { deploymentKey } from '../../core/deployment.ts'
import { isJsonObject } from '../../core/json.ts'
import { type DocumentProblem, formatProblem, parseDocument } from '../../core/text/parse-document.ts'
import { type CapacityRules, judgeSpillover } from '../capacity/judge-capacity.ts'
import { describeShortage, findPool, type QuotaPool } from '../capacity/quota.ts'
import { type BuiltinEntry, createCatalog } from '../catalog/create-catalog.ts'
import type { DeploymentSpec } from '../deployment-spec.ts'
import type { DeclaredFilters } from '../filter/filters-state.ts'
import { judgeShares } from '../plan/shares.ts'
import { type ReadDeploymentOptions, readDeployment } from '../read-deployment.ts'
import { capacitySections, readCapacitySections } from './capacity-sections.ts'
import { type FilterSectionOptions, filterSections, readFilterSections } from './filter-sections.ts'
import { findOffset, findUnresolvedAlias } from './locate.ts'
import { readWebhooks, type WebhookSpec, webhookSections } from './webhook-section.ts'

/** A deployment that the configuration file declares, and where. */
export type FileDeployment = { readonly spec: DeploymentSpec; readonly file: string; readonly line: number }

/** A problem of the file. Line and column count from 1; they are absent when the file could not be read at all. */
export type ConfigProblem = { readonly line?: number; readonly column?: number; readonly text: string }

export type ConfigReading =
  | {
      readonly isValid: true
      readonly deployments: readonly FileDeployment[]
      readonly rules: Omit<CapacityRules, 'now'>
      readonly filters: DeclaredFilters
      readonly webhooks: readonly WebhookSpec[]
    }
  | { readonly isValid: false; readonly problems: readonly ConfigProblem[] }

export type ConfigOptions = Omit<ReadDeploymentOptions, 'credentialRule' | 'capacityRules' | 'policyNames'> &
  FilterSectionOptions & {
    readonly builtinModels: readonly BuiltinEntry[]
    /** Unix milliseconds. */
    readonly now: () => number
  }

/** Judged by others. */
const otherSections = Object.keys({ ...capacitySections, ...filterSections, ...webhookSections }) as (
  | keyof typeof capacitySections
  | keyof typeof filterSections
  | keyof typeof webhookSections
)[]

const fileSchema = z.strictObject({
  ...(Object.fromEntries(otherSections.map((name) => [name, z.unknown().optional()])) as Record<
    (typeof otherSections)[number],
    z.ZodOptional<z.ZodUnknown>
  >),
  deployments: z.array(z.unknown()).optional(),
})

/** How often one anchor may be used. Aliases share what they stand for, so this bounds the walk, not the memory. */
const maxAliasCount = 10_000
const maxProblems = 20

const credentialRule =
  '{env: PONTO_SECRET_NAME}, with the secret in that variable: a secret does not belong in this file. ' +
  'Or make the deployment with "ponto deployment create", which stores its credential encrypted'

/**
 * Reads the text of a configuration file. `file` is its name for messages. All problems are told at once (the first twenty), each with
 * its place, and a file with any problem is refused whole.
 */
export function parseConfig(text: string, file: string, options: ConfigOptions): ConfigReading {
  const lines = new LineCounter()
  const document = parseYaml(text, {
    lineCounter: lines,
    version: '1.2',
    schema: 'core',
    // Tags beyond the core schema (!!binary, !!set, an application's own) become warnings instead of objects, and those are refused.
    resolveKnownTags: false,
    prettyErrors: false,
    // Keys that are lists or maps would be told of on standard error, with what is in them. They are refused as unknown fields.
    logLevel: 'error',
  })
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  }
  const reject = (problems: readonly ConfigProblem[]): ConfigReading => ({
    isValid: false,
    problems: shorten(problems),
  })

  const syntax = [...document.errors, ...document.warnings]
  if (syntax.length > 0)
    return reject(syntax.map((error) => ({ ...place(error.pos[0]), text: reword(error.code, error.message) })))
  if (document.directives?.yaml.explicit && document.directives.yaml.version !== '1.2') {
    return reject([
      { line: 1, column: 1, text: 'got a %YAML directive of another version, expected 1.2 or no directive' },
    ])
  }
  if (document.contents === null) {
    // As a file is that an editor has just truncated, or that something failed to write.
    return reject([
      { line: 1, column: 1, text: 'the file is empty; to declare no deployments write "deployments: []"' },
    ])
  }
  const value = toValue(document)
  if ('text' in value) return reject([{ ...place(findUnresolvedAlias(document) ?? 0), text: value.text }])

  const sections = readCapacitySections(value.value, options.builtinModels)
  const rules = 'rules' in sections ? sections.rules : noRules(options)
  const located = (path: readonly PropertyKey[]) => place(findOffset(document, path))
  const lineOf = (index: number) => located(['deployments', index]).line
  const filters = readFilterSections(value.value, file, options, (section, index) => located([section, index]).line)
  const { webhooks, problems: wrongWebhooks } = readWebhooks(value.value, options.readSecret)
  const { specs, problems: wrong } = readDeployments(
    value.value,
    { ...options, policyNames: filters.policyNames },
    { ...rules, now: options.now() },
  )
  const all = [
    ...('problems' in sections ? sections.problems : []),
    ...filters.problems,
    ...wrongWebhooks,
    ...wrong,
    ...findDuplicates(specs, lineOf),
    ...findShortages(specs, rules.pools),
    ...findLostSpills(specs),
    ...findShareProblems(specs),
  ]
  if (all.length > 0) return reject(all.map((problem) => ({ ...located(problem.path), text: formatProblem(problem) })))
  return {
    isValid: true,
    rules,
    filters: filters.filters,
    webhooks,
    deployments: specs.map(({ spec, index }) => ({ spec, file, line: lineOf(index) })),
  }
}

type IndexedSpec = { readonly spec: DeploymentSpec; readonly index: number }

/** Where the sections are wrong, deployments are judged all the same, so that all problems are told at once. */
function noRules({ builtinModels }: ConfigOptions): Omit<CapacityRules, 'now'> {
  return { catalog: createCatalog(builtinModels), pools: [], placement: {} }
}

/** Deployments that are more than their quota pool has, in the order in which they are declared. */
function findShortages(specs: readonly IndexedSpec[], pools: readonly QuotaPool[]): DocumentProblem[] {
  const used = new Map<QuotaPool, number>()
  return specs.flatMap(({ spec, index }) => {
    const pool = findPool(spec, pools)
    if (!pool) return []
    const before = used.get(pool) ?? 0
    const asked = spec.sku?.capacity ?? 0
    used.set(pool, before + asked)
    if (before + asked <= pool.limit) return []
    return [{ path: ['deployments', index, 'sku', 'capacity'], text: describeShortage(asked, before, pool) }]
  })
}

function findLostSpills(specs: readonly IndexedSpec[]): DocumentProblem[] {
  const names = specs.map(({ spec }) => spec.name)
  return specs.flatMap(({ spec, index }) =>
    judgeSpillover(spec, names).map((problem) => ({ ...problem, path: ['deployments', index, ...problem.path] })),
  )
}

/** Deployments for which more calls are to be kept than a backend takes. */
function findShareProblems(specs: readonly IndexedSpec[]): DocumentProblem[] {
  const all = specs.map(({ spec }) => spec)
  return specs.flatMap(({ spec, index }) =>
    judgeShares(
      spec,
      all.filter((other) => other !== spec),
    ).map((problem) => ({ ...problem, path: ['deployments', index, ...problem.path] })),
  )
}

function readDeployments(
  value: unknown,
  options: Omit<ReadDeploymentOptions, 'credentialRule' | 'capacityRules'>,
  capacityRules: CapacityRules,
): { readonly specs: readonly IndexedSpec[]; readonly problems: readonly DocumentProblem[] } {
  const parsed = parseDocument(fileSchema, value)
  if ('problems' in parsed) return { specs: [], problems: parsed.problems }
  const specs: IndexedSpec[] = []
  const problems: DocumentProblem[] = []
  for (const [index, input] of (parsed.data.deployments ?? []).entries()) {
    const path = ['deployments', index]
    const secrets = findSecrets(input)
    const reading =
      secrets.length > 0 ? { problems: secrets } : readDeployment(input, { ...options, credentialRule, capacityRules })
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

function findDuplicates(specs: readonly IndexedSpec[], lineOf: (index: number) => number): DocumentProblem[] {
  const first = new Map<string, IndexedSpec>()
  const problems: DocumentProblem[] = []
  for (const entry of specs) {
    const key = deploymentKey(entry.spec.name)
    const earlier = first.get(key)
    if (!earlier) {
      first.set(key, entry)
      continue
    }
    const text =
      `"${entry.spec.name}" in line ${lineOf(entry.index)} is declared before, as "${earlier.spec.name}" in line ` +
      `${lineOf(earlier.index)} (names match without regard to case)`
    problems.push({ path: ['deployments', entry.index, 'name'], text })
  }
  return problems
}

/** The plain value of the document. */
function toValue(document: Document): { readonly value: unknown } | { readonly text: string } {
  try {
    return { value: document.toJS({ maxAliasCount }) }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const isBomb = message.startsWith('Excessive alias count')
    return { text: isBomb ? `an anchor is used more than ${maxAliasCount} times` : message }
  }
}

function reword(code: string, message: string): string {
  if (code === 'MULTIPLE_DOCS') return 'got a second document ("---"), expected one'
  if (code === 'TAG_RESOLVE_FAILED')
    return `${message}; only plain YAML is read (strings, numbers, true/false, null, lists, maps)`
  return message
}

function shorten(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
  if (problems.length <= maxProblems) return problems
  return [...problems.slice(0, maxProblems), { text: `and ${problems.length - maxProblems} more` }]
}
