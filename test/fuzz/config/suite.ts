import { stringify } from 'yaml'
import { shareOf } from '../../../src/snapshot/capacity/quota.ts'
import type { CompilerOptions } from '../../../src/snapshot/compile.ts'
import { createCompiler } from '../../../src/snapshot/compile.ts'
import type { DeploymentSpec } from '../../../src/snapshot/deployment-spec.ts'
import { type ConfigReading, parseConfig } from '../../../src/snapshot/file/parse-config.ts'
import { createPlanCompiler } from '../../../src/snapshot/filter/compile-plan.ts'
import type { DeclaredFilters } from '../../../src/snapshot/filter/filters-state.ts'
import { systemPolicies } from '../../../src/snapshot/filter/system-policies.ts'
import { previewUpgrade } from '../../../src/snapshot/plan/preview-upgrade.ts'
import { mutateBytes, mutateJson, RawJson, writeJson } from '../json-text.ts'
import type { Complaint } from '../oracle.ts'
import { createRandom, deriveSeed, type Random } from '../random.ts'
import type { Suite, Tried } from '../suite.ts'
import { plantedHookSecret, plantedSecret, wholeFile, yamlText } from './documents.ts'

const now = Date.UTC(2026, 10, 24)
const builtin = { format: 'Ponto', name: 'builtin-nano', version: '1' }
const secrets: Readonly<Record<string, string>> = {
  PONTO_SECRET_FUZZ: plantedSecret,
  PONTO_SECRET_FUZZ_HOOK: plantedHookSecret,
}
const options = {
  builtinModels: [builtin],
  readSecret: (name: string) => secrets[name],
  now: () => now,
}

/** Mutated configuration files: each is either read and compiles, or is refused with the place and the reason. */
export function openConfigSuite(): Suite {
  return {
    kind: 'config',
    lanes: 1,
    tryCase: async (seed, _lane, keep) => tryFile(seed, keep),
    look: () => [],
    finish: async () => [],
    close: async () => {},
  }
}

function tryFile(seed: number, keep?: ReadonlySet<number>): Tried {
  const { text, names } = writeFile(seed, keep)
  const complaints: Complaint[] = []
  let reading: ConfigReading | undefined
  try {
    reading = parseConfig(text, 'ponto.yaml', options)
    complaints.push(...(reading.isValid ? judgeValid(reading) : judgeProblems(reading, text)))
  } catch (error) {
    complaints.push(describeThrow(reading ? 'a valid file does not compile' : 'parseConfig throws', error))
  }
  return {
    complaints,
    ends: [reading ? (reading.isValid ? 'valid' : 'refused') : 'thrown'],
    names,
    input: text.slice(0, 3000),
    seen: JSON.stringify(reading, null, 2)?.slice(0, 4000) ?? '',
  }
}

/** Only names and values that were valid are changed, or the text as a text, or both. */
function writeFile(seed: number, keep?: ReadonlySet<number>): { readonly text: string; readonly names: string[] } {
  const random = createRandom(seed)
  const isYaml = random.chance(0.3)
  const hasBytes = random.chance(isYaml ? 0.5 : 0.1)
  const count = random.chance(0.7) ? 1 : random.int(2, 4)
  const names: string[] = []
  const apply = (name: string, edit: () => void): void => {
    if (!keep || keep.has(names.length)) edit()
    names.push(name)
  }
  // A quote that is broken makes a secret part of a field's name, and such names are told.
  let value: unknown = hasBytes ? wholeFile : plantSecret(wholeFile, random)
  let text = yamlText
  for (let i = 0; i < count; i++) {
    const own = createRandom(deriveSeed(seed, i))
    if (isYaml) apply('lines', () => (text = editLines(text, own)))
    else if (own.chance(0.35)) apply('known value', () => (value = editPlace(value, own, own.pick(knownValues))))
    else if (own.chance(0.3)) apply('left out', () => (value = editPlace(value, own, undefined)))
    else apply('value', () => (value = mutateJson(value, own)))
  }
  if (!isYaml) text = random.chance(0.5) && isPlain(value) ? stringify(value) : writeJson(value)
  if (hasBytes) apply('bytes', () => (text = mutateBytes(Buffer.from(text), random).toString()))
  return { text, names }
}

/** Now and then a secret stands where only a variable may be named. */
function plantSecret(file: typeof wholeFile, random: Random): unknown {
  if (!random.chance(0.15)) return file
  const url = random.pick(['https://a.example', `https://user:${plantedSecret}@a.example`])
  const credential = random.pick([{ value: plantedSecret }, { sealed: plantedSecret }, plantedSecret, [plantedSecret]])
  if (random.chance(0.3)) {
    const [hook, ...hooks] = file.webhooks
    const secret = random.pick([
      plantedHookSecret,
      { value: plantedHookSecret },
      { env: plantedHookSecret },
      [plantedHookSecret],
    ])
    const address = random.pick([
      'https://h.example',
      `https://u:${plantedSecret}@h.example/`,
      `https://h.example/?sig=${plantedSecret}`,
    ])
    return { ...file, webhooks: [{ ...hook, url: address, secret }, ...hooks] }
  }
  const [first, ...others] = file.deployments
  return { ...file, deployments: [{ ...first, backends: [{ url, credential }] }, ...others] }
}

/** Values that mean something, put where something else was: what a schema lets through, and other rules then judge. */
const knownValues: readonly unknown[] = [
  'ProvisionedManaged',
  'GlobalBatch',
  'DeveloperTier',
  'DataZoneStandard',
  'large',
  'LARGE',
  'bought',
  'acme-large',
  'ACME-LARGE',
  'gpt-4o',
  'Acme',
  '{version}{version}',
  '9999-12-31T23:59:59-23:59',
  '0000-01-01',
  '2024-02-30',
  1,
  5,
  60,
  1_000_000,
  1e9,
  1e12,
  0.001,
  [],
  {},
  true,
  'Paused',
  'Deprecated',
  'batch.completed',
  'ops',
  'OPS',
  { env: 'PONTO_SECRET_FUZZ_HOOK' },
  { env: 'PONTO_SECRET_FUZZ' },
  'http://[::1]:1/v1',
  'http://169.254.169.254/',
  'https://user:word@h.example/v1',
  'https://h.example/v1?key=1#x',
]

/** Puts `item` at a place drawn at random, or leaves out what is there. */
function editPlace(value: unknown, random: Random, item: unknown): unknown {
  const paths: (readonly (string | number)[])[] = []
  const walk = (node: unknown, path: readonly (string | number)[]): void => {
    if (path.length > 0) paths.push(path)
    if (typeof node !== 'object' || node === null || node instanceof RawJson) return
    for (const [key, child] of Object.entries(node)) walk(child, [...path, Array.isArray(node) ? Number(key) : key])
  }
  walk(value, [])
  return paths.length === 0 ? value : put(value, random.pick(paths), item)
}

function put(node: unknown, [key, ...rest]: readonly (string | number)[], item: unknown): unknown {
  if (key === undefined) return item
  const copy = (Array.isArray(node) ? [...node] : { ...(node as object) }) as Record<string | number, unknown>
  const next = put(copy[key], rest, item)
  if (next !== undefined) copy[key] = next
  else if (Array.isArray(copy)) copy.splice(Number(key), 1)
  else delete copy[key]
  return copy
}

function isPlain(value: unknown): boolean {
  if (value instanceof RawJson) return false
  return typeof value !== 'object' || value === null || Object.values(value).every(isPlain)
}

function editLines(text: string, random: Random): string {
  const lines = text.split('\n')
  const at = random.int(0, lines.length - 1)
  const line = lines[at] as string
  const replace = (next: string): string => lines.with(at, next).join('\n')
  switch (random.int(0, 9)) {
    case 0:
      return lines.toSpliced(at, 1).join('\n')
    case 1:
      return lines.toSpliced(at, 0, line).join('\n')
    case 2:
      return lines.toSpliced(random.int(0, lines.length), 0, line).join('\n')
    case 3:
      return replace(` ${line}`)
    case 4:
      return replace(line.replace(/^ /, ''))
    case 5:
      return replace(line.replace(/: .*/, random.pick([': ', ':', ': *near', ': *m', ': *none', ': &near x', ': ~'])))
    case 6:
      return replace(line.replace(/: .*/, `: ${random.pick(oddScalars)}`))
    case 7:
      return replace(`${line}${random.pick([' #', ' : x', ' |', ' >', '\t', ' ---', ' ...', ' !!int', ' &a &b'])}`)
    case 8:
      return lines.toSpliced(at, 0, random.pick(oddLines)).join('\n')
    default:
      return text.replaceAll('\n', random.pick(['\r\n', '\r', '\n\n']))
  }
}

const oddScalars = [
  '0x1F',
  '0o17',
  '.inf',
  '.nan',
  '-.inf',
  '1e999',
  '1_000',
  'yes',
  '!!binary aGk=',
  '!!set {a}',
  '[',
  '{',
  '"',
]
const oddLines = [
  '---',
  '...',
  '%YAML 1.1',
  '%TAG ! tag:x,2000:',
  '  <<: *m',
  '? [a, b]',
  '? {a: 1}',
  ': 5',
  '1: one',
  'null: x',
  '? ',
  '- stray',
  'deployments: []',
  '__proto__: { polluted: 1 }',
  'constructor: 1',
  '&a a: *a',
  'loop: &l [*l]',
]

function judgeProblems({ problems }: Extract<ConfigReading, { isValid: false }>, text: string): Complaint[] {
  const found: Complaint[] = []
  const note = (name: string): void =>
    void found.push({ name, detail: JSON.stringify(problems, null, 1).slice(0, 3000) })
  if (problems.length === 0) note('a refusal without a problem')
  const lineCount = text.split('\n').length
  for (const [index, problem] of problems.entries()) {
    const { line, column, text: why } = problem
    if (typeof why !== 'string' || why.trim() === '') note('a problem without a text')
    if ([plantedSecret, plantedHookSecret].some((secret) => why.includes(secret))) note('a secret in a problem')
    const ours = /undefined|\[object Object\]|\bNaN\b/i
    if (ours.test(why) && !ours.test(text)) note('a problem that tells of the code')
    if (index === problems.length - 1 && /^and \d+ more$/.test(why)) continue
    const isPlace = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 1
    if (!isPlace(line) || !isPlace(column)) note('a problem without a place')
    else if ((line as number) > lineCount) note('a problem behind the end of the file')
  }
  return found
}

/** As the server does with a file: everything is compiled, shown and asked for its upgrade. */
function judgeValid({ deployments, rules, filters }: Extract<ConfigReading, { isValid: true }>): Complaint[] {
  const specs = deployments.map(({ spec }) => spec)
  const compilerOptions: CompilerOptions = {
    findBuiltin: () => undefined,
    openTransport: () => ({ request: () => Promise.reject(new Error('nothing is asked here')), close: () => {} }),
    readCredential: () => plantedSecret,
    catalog: () => rules.catalog,
    poolOf: (spec) => shareOf(spec, rules.pools, specs),
    now: () => now,
  }
  const compiler = createCompiler(compilerOptions)
  const snapshot = compiler.compile(
    specs.map((spec) => ({ spec, createdAt: now })),
    new Map(),
  )
  const found: Complaint[] = []
  if (snapshot.deployments.size !== specs.length)
    found.push({ name: 'a deployment is lost in compiling', detail: JSON.stringify(specs.map(({ name }) => name)) })
  for (const { limits, name } of snapshot.deployments.values()) {
    if (!isSoundLimit(limits))
      found.push({ name: 'a limit that is no number', detail: JSON.stringify({ name, limits }) })
  }
  found.push(...judgeFilters(filters, specs))
  const change = compiler.nextChangeAt()
  if (change !== undefined && !Number.isFinite(change))
    found.push({ name: 'a change at no time', detail: String(change) })
  for (const spec of specs) previewUpgrade(spec, rules.catalog, now)
  compiler.close()
  if (({} as { polluted?: unknown }).polluted !== undefined) found.push({ name: 'a prototype was changed', detail: '' })
  return found
}

/** Every policy that a valid file declares, or that a deployment of it has, can be used. */
function judgeFilters(filters: DeclaredFilters, deployments: readonly DeploymentSpec[]): Complaint[] {
  const hold = <T extends { readonly name: string }>(items: readonly { readonly spec: T }[]) => {
    const held = items.map(({ spec }) => ({ spec }))
    const get = (name: string) => held.find(({ spec }) => spec.name.toLowerCase() === name.toLowerCase())
    return { list: () => held, get }
  }
  const system = Object.values(systemPolicies).map((spec) => ({ spec }))
  const state = {
    policies: hold([...filters.policies, ...system]),
    blocklists: hold(filters.blocklists),
    engines: hold(filters.engines),
    topics: hold(filters.topics),
  }
  const compiler = createPlanCompiler({
    detector: { label: 'builtin/none', screen: { find: () => [], open: () => noStream }, analyse: () => [] },
    readCredential: () => plantedSecret,
    openEngine: () => {
      throw new Error('nothing is opened here')
    },
    indexProtected: () => ({ find: () => [] }),
  })
  const named = deployments.flatMap(({ raiPolicyName }) => raiPolicyName ?? [])
  const plans = compiler.compile(state as unknown as Parameters<typeof compiler.compile>[0], named)
  for (const { spec } of filters.policies) {
    for (const { matcher } of plans.find(spec.name)?.prompt.blocklists ?? []) matcher.find('acme anvil ORD-12345')
  }
  return compiler.listWarnings().map((detail) => ({ name: 'a policy of a valid file cannot be used', detail }))
}

const noStream = { feed: () => [], end: () => [], settled: 0 }

/** Every number in it is finite and not below zero. */
function isSoundLimit(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0
  return typeof value !== 'object' || value === null || Object.values(value).every(isSoundLimit)
}

function describeThrow(name: string, error: unknown): Complaint {
  const { message = String(error), stack = '' } = error instanceof Error ? error : {}
  return { name: `${name}: ${message.slice(0, 80)}`, detail: stack }
}
