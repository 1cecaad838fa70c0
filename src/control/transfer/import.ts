import { z } from 'zod'
import { Fault, toFault } from '../../core/fault.ts'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import { parseDocument } from '../../core/text/parse-document.ts'
import type { ErrorBody, ImportedView, ImportView } from '../api.ts'
import { describeFault, refuseDocument } from '../errors.ts'
import type { Answer } from '../http/answer.ts'
import { isDryRun } from '../http/dry-run.ts'
import { readJsonBody } from '../http/read-body.ts'
import type { Forward } from '../http/route.ts'
import { readItems } from './export.ts'
import { readImport } from './formats/read-document.ts'
import { type ImportItem, type ImportKind, importKinds, type Reading } from './formats/reading.ts'
import { withoutShown } from './shown-fields.ts'

/** Where a kind is made. */
const paths: Readonly<Record<ImportKind, string>> = {
  blocklist: '/rai-blocklists',
  topic: '/rai-topics',
  'filter-engine': '/filter-engines',
  'rai-policy': '/rai-policies',
  'deployment-policy': '/deployment-policies',
  deployment: '/deployments',
}

const bodySchema = z.strictObject({
  text: z.string().min(1),
  /** Values of the parameters of an ARM template. */
  parameters: z.record(z.string(), z.unknown()).optional(),
  /** Where deployments run that say nothing of it: a backend without a model gets the deployment's name for it. */
  backends: z.array(z.record(z.string(), z.unknown())).optional(),
  /** What is there already: left alone, or put into the shape of the import. */
  existing: z.enum(['keep', 'replace']).default('keep'),
})

const maxBytes = 32 * 1024 * 1024

/**
 * Makes what the text says, one after the other, each by the route that makes it: judged, allowed and told of as if it were sent alone. What
 * fails is told and keeps nothing else from being made.
 */
export async function importText(request: Request, forward: Forward): Promise<Answer> {
  const parsed = parseDocument(bodySchema, await readJsonBody(request, maxBytes), { isSecret: () => true })
  if ('problems' in parsed) throw refuseDocument(parsed.problems)
  const { text, parameters, backends, existing } = parsed.data
  const reading = readImport(text, parameters as JsonObject | undefined)
  const isTrial = isDryRun(request)
  const value: ImportedView[] = []
  for (const kind of importKinds) {
    for (const item of reading.items) {
      if (item.kind === kind) value.push(await make(complete(item, backends as JsonObject[] | undefined), reading))
    }
  }
  const body: ImportView = { format: reading.format, notes: reading.notes, value }
  return { status: 200, body }

  async function make(item: ImportItem, { unsaid }: Reading): Promise<ImportedView> {
    const { kind, name } = item
    const path = `${paths[kind]}/${encodeURIComponent(name)}`
    try {
      const before = await readExisting(path, forward)
      const document = { ...pick(before, unsaid), ...item.document }
      const { body: planned } = await forward('PUT', `${path}?dryRun=true`, document)
      if (before && isSame(kind, before, planned as JsonObject) && (await hasSameItems(item, forward)))
        return { kind, name, result: 'unchanged' }
      if (before && existing === 'keep') return { kind, name, result: 'kept' }
      if (!isTrial) await forward('PUT', path, document)
      return { kind, name, result: before ? 'replaced' : 'created' }
    } catch (error) {
      const { error: reason } = describeFault(toFault(error), '').body as ErrorBody
      if (isTrial && isMadeBefore(reason, reading.items)) return { kind, name, result: 'created' }
      return { kind, name, result: 'failed', error: reason }
    }
  }
}

/** A blocklist is shown without its items. */
async function hasSameItems({ kind, name, document }: ImportItem, forward: Forward): Promise<boolean> {
  if (kind !== 'blocklist' || !Array.isArray(document.items)) return true
  const key = (item: unknown) => {
    const { name, pattern, isRegex = false } = item as JsonObject
    return JSON.stringify([String(name).toLowerCase(), pattern, isRegex])
  }
  const there = (await readItems(name, forward)).map(key).sort()
  return JSON.stringify(there) === JSON.stringify(document.items.map(key).sort())
}

const missingPattern = /^(?:got|there is no [a-z ]+) ("(?:[^"\\]|\\.)*")/

/** Whether a trial misses only what the import would have made before: content filter policies, blocklists and the like. */
function isMadeBefore({ details = [] }: ErrorBody['error'], items: readonly ImportItem[]): boolean {
  const made = items.filter(({ kind }) => kind !== 'deployment').map(({ name }) => JSON.stringify(name).toLowerCase())
  const missing = details.map(({ message }) => missingPattern.exec(message)?.[1]?.toLowerCase() ?? '')
  return missing.length > 0 && missing.every((name) => made.includes(name))
}

function complete(item: ImportItem, backends: readonly JsonObject[] | undefined): ImportItem {
  if (item.kind !== 'deployment' || !backends || item.document.backends !== undefined) return item
  const own = backends.map((backend) => ({ model: item.name, ...backend }))
  return { ...item, document: { ...item.document, backends: own } }
}

async function readExisting(path: string, forward: Forward): Promise<JsonObject | undefined> {
  try {
    return (await forward('GET', path)).body as JsonObject
  } catch (error) {
    if (error instanceof Fault && error.status === 404) return undefined
    throw error
  }
}

function pick(document: JsonObject | undefined, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(document ?? {}).filter(([name]) => names.includes(name)))
}

/** In one order, so that equal documents are equal texts. */
function sort(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sort)
  if (!isJsonObject(value)) return value
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(fields.map(([name, inner]) => [name, sort(inner)]))
}

function isSame(kind: ImportKind, ...views: readonly [JsonObject, JsonObject]): boolean {
  const [before, planned] = views.map((view) => JSON.stringify(sort(withoutShown(paths[kind].slice(1), view))))
  return before === planned
}
