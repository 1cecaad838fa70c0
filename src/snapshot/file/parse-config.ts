import { type Document, LineCounter, parseDocument as parseYaml } from 'yaml'
import { z } from 'zod'
import { ownResource } from '../../core/resource.ts'
import { formatProblem, parseDocument } from '../../core/text/parse-document.ts'
import type { CapacityRules } from '../capacity/judge-capacity.ts'
import { type BuiltinEntry, createCatalog } from '../catalog/create-catalog.ts'
import type { Declared } from '../filter/collection.ts'
import type { DeclaredFilters } from '../filter/filters-state.ts'
import { defaultPolicyName } from '../filter/policy-spec.ts'
import type { DeploymentPolicy } from '../policy/deployment-policy.ts'
import type { ReadDeploymentOptions } from '../read-deployment.ts'
import { capacitySections, readCapacitySections } from './capacity-sections.ts'
import { type FileDeployment, findShareProblems, findShortages, listDeclared, readContents } from './contents.ts'
import { type FilterSectionOptions, filterSections } from './filter-sections.ts'
import { type DeclaredIdentity, identitySections, readIdentity } from './identity-section.ts'
import { findOffset, findUnresolvedAlias } from './locate.ts'
import { policySections, readPolicySection } from './policy-section.ts'
import {
  type FileOwnResource,
  type FileResource,
  type ResourceSectionOptions,
  readResources,
  resourceSections,
} from './resource-section.ts'
import { readWebhooks, type WebhookSpec, webhookSections } from './webhook-section.ts'

/** A problem of the file. Line and column count from 1; they are absent when the file could not be read at all. */
export type ConfigProblem = { readonly line?: number; readonly column?: number; readonly text: string }

export type ConfigReading =
  | {
      readonly isValid: true
      readonly deployments: readonly FileDeployment[]
      /** What is said of the server's own resource. */
      readonly resource: FileOwnResource | undefined
      readonly resources: readonly FileResource[]
      readonly rules: Omit<CapacityRules, 'now'>
      readonly filters: DeclaredFilters
      readonly webhooks: readonly WebhookSpec[]
      readonly identity: DeclaredIdentity
      readonly deploymentPolicies: readonly Declared<DeploymentPolicy>[]
    }
  | { readonly isValid: false; readonly problems: readonly ConfigProblem[] }

export type ConfigOptions = Omit<ReadDeploymentOptions, 'credentialRule' | 'capacityRules' | 'policyNames'> &
  FilterSectionOptions &
  Pick<ResourceSectionOptions, 'ownName' | 'listStoredOf'> & {
    readonly builtinModels: readonly BuiltinEntry[]
    /** Unix milliseconds. */
    readonly now: () => number
    /** The policies over deployments that are stored. */
    readonly listStoredPolicies?: (() => readonly DeploymentPolicy[]) | undefined
    /** The content filter policy of deployments that name none; Ponto's own when absent. */
    readonly defaultRaiPolicy?: string | undefined
  }

/** Judged by others. */
const otherSections = Object.keys({
  ...capacitySections,
  ...filterSections,
  ...webhookSections,
  ...policySections,
  ...resourceSections,
  ...identitySections,
}) as (
  | keyof typeof capacitySections
  | keyof typeof filterSections
  | keyof typeof webhookSections
  | keyof typeof policySections
  | keyof typeof resourceSections
  | keyof typeof identitySections
)[]

const fileSchema = z.strictObject({
  ...(Object.fromEntries(otherSections.map((name) => [name, z.unknown().optional()])) as Record<
    (typeof otherSections)[number],
    z.ZodOptional<z.ZodUnknown>
  >),
  deployments: z.unknown().optional(),
})

/** How often one anchor may be used. Aliases share what they stand for, so this bounds the walk, not the memory. */
const maxAliasCount = 10_000
const maxProblems = 20

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
  const lineOf = (path: readonly PropertyKey[]) => located(path).line
  const { webhooks, problems: wrongWebhooks } = readWebhooks(value.value, options.readSecret)
  const { identity, problems: wrongIdentity } = readIdentity(value.value)
  const declared = readPolicySection(value.value, file, (index) => lineOf(['deploymentPolicies', index]))
  const policies = mergePolicies(declared.policies, options.listStoredPolicies?.() ?? [])
  const contentsOptions = {
    ...options,
    file,
    lineOf,
    capacityRules: { ...rules, now: options.now() },
    policyRules: { policies, defaultRaiPolicy: options.defaultRaiPolicy ?? defaultPolicyName },
  }
  const unknown = parseDocument(fileSchema, value.value)
  const own = readContents(value.value, { ...contentsOptions, path: [], resource: ownResource })
  const others = readResources(value.value, contentsOptions)
  const specs = [own, ...others.contents].flatMap((contents) => contents.specs)
  const all = [
    ...('problems' in sections ? sections.problems : []),
    ...wrongWebhooks,
    ...wrongIdentity,
    ...declared.problems,
    ...('problems' in unknown ? unknown.problems : []),
    ...own.problems,
    ...others.problems,
    ...findShortages(specs, rules.pools),
    ...findShareProblems(specs),
  ]
  if (all.length > 0) return reject(all.map((problem) => ({ ...located(problem.path), text: formatProblem(problem) })))
  return {
    isValid: true,
    rules,
    filters: own.filters,
    webhooks,
    identity,
    deploymentPolicies: declared.policies,
    deployments: listDeclared(own, contentsOptions),
    resource: others.own,
    resources: others.resources,
  }
}

/** Where the sections are wrong, deployments are judged all the same, so that all problems are told at once. */
function noRules({ builtinModels }: ConfigOptions): Omit<CapacityRules, 'now'> {
  return { catalog: createCatalog(builtinModels), pools: [], placement: {} }
}

/** All of them by name, as the server will have them: of two of one name, the file's. */
function mergePolicies(
  declared: readonly Declared<DeploymentPolicy>[],
  stored: readonly DeploymentPolicy[],
): readonly DeploymentPolicy[] {
  const byName = new Map([...stored, ...declared.map(({ spec }) => spec)].map((one) => [one.name.toLowerCase(), one]))
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, policy]) => policy)
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
