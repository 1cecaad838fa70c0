import { z } from 'zod'
import { Fault, toFault } from '../../core/fault.ts'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import { parseDocument } from '../../core/text/parse-document.ts'
import { readBlocklist } from '../../snapshot/filter/blocklist-spec.ts'
import type { ErrorBody, ImportedView, ImportView } from '../api.ts'
import type { Answer } from '../http/answer.ts'
import { isDryRun } from '../http/dry-run.ts'
import { describeFault, refuseDocument } from '../http/errors.ts'
import { readJsonBody } from '../http/read-body.ts'
import type { Forward } from '../http/route.ts'
import { readItems } from './export.ts'
import { readImport } from './formats/read-document.ts'
import { type ImportItem, type ImportKind, importKinds } from './formats/reading.ts'
import { withoutShown } from './shown-fields.ts'

/** Where a kind is made. */
const paths: Readonly<Record<ImportKind, string>> = {
  quota: '/quota',
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
/** Each is judged by itself, among all that is there. */
const mostItems = 5_000
const mostNotes = 500
const longestText = 300

/**
 * Makes what the text says, one after the other, each by the route that makes it: judged, allowed and told of as if it were sent alone. What
 * fails is told and keeps nothing else from being made.
 */
export async function importText(request: Request, forward: Forward): Promise<Answer> {
  const parsed = parseDocument(bodySchema, await readJsonBody(request, maxBytes), { isSecret: () => true })
  if ('problems' in parsed) throw refuseDocument(parsed.problems)
  const { text, parameters, backends, existing } = parsed.data
  const { format, items, notes } = readImport(text, parameters as JsonObject | undefined)
  if (items.length > mostItems) {
    const message = `text: it has ${items.length} deployments and other things, and at most ${mostItems} are taken at once; divide it`
    throw new Fault('body-too-large', message, { param: 'text' })
  }
  const isTrial = isDryRun(request)
  const made = new Map<ImportItem, ImportedView>()
  let left = importKinds.flatMap((kind) => items.filter((item) => item.kind === kind))
  for (let pass = 1; left.length > 0; pass++) {
    const waiting: ImportItem[] = []
    for (const item of left) {
      const view = await make(item, pass < mostPasses)
      if (view) made.set(item, view)
      else waiting.push(item)
    }
    // Where a pass made nothing, another one makes nothing either.
    if (waiting.length === left.length) pass = mostPasses
    left = waiting
  }
  const value = [...made.values()].map((view) => ({ ...view, name: clip(view.name) }))
  return { status: 200, body: { format, notes: shorten(notes), value } satisfies ImportView }

  /** undefined: it names what the same text makes later, and should be tried again when that is there. */
  async function make(item: ImportItem, mayWait: boolean): Promise<ImportedView | undefined> {
    const { kind, name } = item
    const path = `${paths[kind]}/${encodeURIComponent(name)}`
    try {
      const before = await readExisting(path, forward)
      const document = withBackends(item, item.makeDocument(before))
      const isKept = before !== undefined && existing === 'keep'
      const done = { kind, name, result: before ? 'replaced' : 'created' } as const
      const planned = await forward('PUT', `${path}?dryRun=true`, document).catch(toFault)
      if (planned instanceof Fault) {
        const { details = [] } = describeReason(planned)
        const missing = details.filter((detail) => isMissing(detail, items))
        if (missing.length > 0 && mayWait && !isTrial) return undefined
        // A trial makes nothing: what it misses may well be what it would have made.
        if (missing.length > 0 && missing.length === details.length && isTrial) return done
        if (isTrial || isKept) throw planned
      } else {
        const isSame = before && isSameView(kind, before, planned.body as JsonObject)
        if (isSame && (await hasSameItems(item, document, forward))) return { kind, name, result: 'unchanged' }
        if (isKept) return { kind, name, result: 'kept' }
      }
      // What is refused is sent in earnest too, so that it is told of as every refusal is.
      if (!isTrial) await forward('PUT', path, document)
      return done
    } catch (error) {
      return { kind, name, result: 'failed', error: describeReason(error) }
    }
  }

  function withBackends(item: ImportItem, document: JsonObject): JsonObject {
    if (item.kind !== 'deployment' || !backends || item.makeDocument(undefined).backends !== undefined) return document
    const own = (backends as JsonObject[]).map((backend) => ({ model: item.name, ...backend }))
    return { ...document, backends: own }
  }
}

/** An engine may name a deployment, which names a policy, which names an engine; of deployments one may name another. */
const mostPasses = 4

function describeReason(error: unknown): ErrorBody['error'] {
  return (describeFault(toFault(error), '').body as ErrorBody).error
}

/** Where one thing names another, and what is said of one that is not there. */
const referencePattern =
  /(^|\.)(raiPolicyName|spilloverDeploymentName|deployment|blocklistName|topicName|engines\[\d+\])$/
const missingPattern = /^(?:got|there is no [a-z ]+) ("(?:[^"\\]|\\.)*")/

/** Whether a problem is only that something is not there, which the same text would make. */
function isMissing(
  { target = '', message }: { target?: string; message: string },
  items: readonly ImportItem[],
): boolean {
  if (target === 'dynamicThrottlingEnabled') return items.some(({ kind }) => kind === 'quota')
  if (!referencePattern.test(target)) return false
  const missing = missingPattern.exec(message)?.[1]?.toLowerCase()
  return items.some(({ name }) => JSON.stringify(name).toLowerCase() === missing)
}

/** A blocklist is shown without its items. */
async function hasSameItems({ kind, name }: ImportItem, document: JsonObject, forward: Forward): Promise<boolean> {
  if (kind !== 'blocklist' || (document.items === undefined && document.terms === undefined)) return true
  const wanted = readBlocklist({ ...document, name })
  return (
    'spec' in wanted && JSON.stringify(sort(wanted.spec.items)) === JSON.stringify(sort(await readItems(name, forward)))
  )
}

function shorten(notes: readonly string[]): readonly string[] {
  const shown = notes.slice(0, mostNotes).map(clip)
  return notes.length > mostNotes ? [...shown, `and ${notes.length - mostNotes} more`] : shown
}

function clip(text: string): string {
  return text.length > longestText ? `${text.slice(0, longestText - 3)}...` : text
}

async function readExisting(path: string, forward: Forward): Promise<JsonObject | undefined> {
  try {
    return (await forward('GET', path)).body as JsonObject
  } catch (error) {
    if (error instanceof Fault && error.status === 404) return undefined
    throw error
  }
}

/** In one order, so that equal documents are equal texts. */
function sort(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sort)
  if (!isJsonObject(value)) return value
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(fields.map(([name, inner]) => [name, sort(inner)]))
}

function isSameView(kind: ImportKind, ...views: readonly [JsonObject, JsonObject]): boolean {
  const [before, planned] = views.map((view) => JSON.stringify(sort(withoutShown(paths[kind].slice(1), view))))
  return before === planned
}
