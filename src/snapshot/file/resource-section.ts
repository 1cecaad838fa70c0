import { z } from 'zod'
import { isJsonObject } from '../../core/json.ts'
import { type ResourceSpec, resourceKey } from '../../core/resource.ts'
import { type DocumentProblem, parseDocument } from '../../core/text/parse-document.ts'
import type { KeyName } from '../../port/tables/port.ts'
import type { DeclaredFilters } from '../filter/filters-state.ts'
import { hostLabels, resourceSpecSchema } from '../resources/resource-spec.ts'
import {
  type Contents,
  type ContentsOptions,
  contentSections,
  type FileDeployment,
  listDeclared,
  readContents,
} from './contents.ts'
import { filterSections, type StoredNames } from './filter-sections.ts'

/** A resource that the configuration file declares, with what it has of it. */
export type FileResource = {
  readonly spec: ResourceSpec
  readonly file: string
  readonly line: number
  readonly deployments: readonly FileDeployment[]
  readonly filters: DeclaredFilters
  /** Keys whose secrets are in variables; the others are made and stored. */
  readonly keys: readonly { readonly name: KeyName; readonly value: string }[]
}

/** What the file says of the server's own resource; its name is that of `--name`. */
export type FileOwnResource = {
  readonly spec: Omit<ResourceSpec, 'name'>
  readonly file: string
  readonly line: number
}

/** The sections of the file. */
export const resourceSections = {
  resource: z.unknown().optional(),
  resources: z.array(z.unknown()).max(1_000).optional(),
} as const

export type ResourcesReading = {
  readonly own: FileOwnResource | undefined
  readonly resources: readonly FileResource[]
  readonly contents: readonly Contents[]
  readonly problems: readonly DocumentProblem[]
}

export type ResourceSectionOptions = Omit<ContentsOptions, 'path' | 'resource' | 'listStored'> & {
  /** The name of the server's own resource. */
  readonly ownName?: string | undefined
  /** What a resource has beside what the file gives it. */
  readonly listStoredOf?: ((resource: string) => StoredNames) | undefined
}

const envSchema = z.strictObject({
  env: z.string().regex(/^PONTO_SECRET_[A-Z0-9_]+$/, 'a variable whose name begins with PONTO_SECRET_'),
})

const entrySchema = z.strictObject({
  ...resourceSpecSchema.shape,
  ...contentSections,
  ...filterSections,
  keys: z.strictObject({ key1: envSchema.optional(), key2: envSchema.optional() }).optional(),
})

const ownSchema = resourceSpecSchema.omit({ name: true })

/** Judges the sections. That the file is an object is for others to judge. */
export function readResources(value: unknown, options: ResourceSectionOptions): ResourcesReading {
  const document = isJsonObject(value) ? value : {}
  const parsed = parseDocument(z.object(resourceSections), document)
  if ('problems' in parsed) return { own: undefined, resources: [], contents: [], problems: parsed.problems }
  const problems: DocumentProblem[] = []
  const resources: FileResource[] = []
  const contents: Contents[] = []
  const own = readOwn(document.resource, options, problems)
  for (const [index, input] of (parsed.data.resources ?? []).entries()) {
    const path = ['resources', index]
    const within = (problem: DocumentProblem) => ({ ...problem, path: [...path, ...problem.path] })
    const entry = parseDocument(entrySchema, input)
    if ('problems' in entry) {
      problems.push(...entry.problems.map(within))
      continue
    }
    const { deployments, filterEngines, raiPolicies, raiBlocklists, raiTopics, keys = {}, ...spec } = entry.data
    const read = readContents(input, {
      ...options,
      path,
      resource: resourceKey(spec.name),
      listStored: options.listStoredOf && (() => options.listStoredOf?.(spec.name) ?? noNames),
    })
    contents.push(read)
    problems.push(...read.problems, ...judgeName(spec as ResourceSpec, own?.spec, resources, options).map(within))
    const opened = (['key1', 'key2'] as const).flatMap((name) => {
      const variable = keys[name]?.env
      if (variable === undefined) return []
      const secret = options.readSecret(variable)
      if (secret !== undefined && keyPattern.test(secret)) return [{ name, value: secret }]
      const text = `got the variable ${variable}, ${secret === undefined ? 'which is not set' : 'whose value is no key'}, expected one with 16 to 512 visible characters`
      problems.push(within({ path: ['keys', name, 'env'], text }))
      return []
    })
    resources.push({
      spec: spec as ResourceSpec,
      file: options.file,
      line: options.lineOf(path),
      deployments: listDeclared(read, options),
      filters: read.filters,
      keys: opened,
    })
  }
  return { own, resources, contents, problems }
}

const keyPattern = /^[\x21-\x7e]{16,512}$/
const noNames: StoredNames = { deployments: [], policies: [], refs: { blocklists: [], topics: [], engines: [] } }

function readOwn(
  input: unknown,
  { file, lineOf }: ResourceSectionOptions,
  problems: DocumentProblem[],
): FileOwnResource | undefined {
  if (input === undefined) return undefined
  const parsed = parseDocument(ownSchema, input)
  if ('data' in parsed) return { spec: parsed.data as Omit<ResourceSpec, 'name'>, file, line: lineOf(['resource']) }
  problems.push(...parsed.problems.map((problem) => ({ ...problem, path: ['resource', ...problem.path] })))
  return undefined
}

/** Names and subdomains are of one resource each: a host belongs to one of them. */
function judgeName(
  spec: ResourceSpec,
  own: FileOwnResource['spec'] | undefined,
  earlier: readonly FileResource[],
  { ownName }: ResourceSectionOptions,
): DocumentProblem[] {
  const isOwn = ownName !== undefined && resourceKey(ownName) === resourceKey(spec.name)
  if (isOwn) {
    const text = `got "${spec.name}", which is the server's own resource: describe it under "resource", and its deployments at the top of the file`
    return [{ path: ['name'], text }]
  }
  const same = earlier.find((other) => resourceKey(other.spec.name) === resourceKey(spec.name))
  if (same) {
    const text = `"${spec.name}" is declared before, in line ${same.line} (names match without regard to case)`
    return [{ path: ['name'], text }]
  }
  const labels = new Set(hostLabels(spec))
  const others = [
    ...earlier.map((other) => other.spec),
    ...(ownName === undefined ? [] : [{ name: ownName, properties: own?.properties ?? {} }]),
  ]
  const taken = others.find((other) => hostLabels(other).some((label) => labels.has(label)))
  if (!taken) return []
  const text = `the host names of "${spec.name}" are those of "${taken.name}" too; give it another name or subdomain`
  return [{ path: ['properties', 'customSubDomainName'], text }]
}
