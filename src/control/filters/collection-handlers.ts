import { Fault } from '../../core/fault.ts'
import type { JsonObject } from '../../core/json.ts'
import type { DocumentProblem } from '../../core/text/parse-document.ts'
import type { Collection, Held } from '../../snapshot/filter/collection.ts'
import type { HeldView } from '../api.ts'
import type { Answer } from '../http/answer.ts'
import { isDryRun } from '../http/dry-run.ts'
import { refuseDocument } from '../http/errors.ts'
import { checkPreconditions } from '../http/preconditions.ts'
import { readJsonBody } from '../http/read-body.ts'

export type Handler = (request: Request, name: string, item: string) => Promise<Answer>

type Spec = { readonly name: string }

export type CollectionResource<T extends Spec> = {
  readonly collection: Collection<T>
  /** `blocklist`, and where it is found: `rai-blocklists`. */
  readonly noun: string
  readonly path: string
  /** What GET adds to a document: accepted back, so that what was read can be changed and written. */
  readonly shownFields: readonly string[]
  /** What is shown besides what all have. */
  view(spec: T, isListed: boolean): object
  /** The document as it will be stored in place of `current`. Throws a Fault for one that is wrong. */
  accept(document: JsonObject, name: string, current: T | undefined): T
}

/** Documents may hold texts of the operator's own. */
export const maxDocumentBytes = 16 * 1024 * 1024

const shownByAll = ['etag', 'source', 'createdAt', 'updatedAt'] as const

/** Gives the document that shall be, from what is there. Runs inside the write, so that nothing changes in between. */
export type MakeDocument<T> = (current: T | undefined) => JsonObject

/** GET, PUT and DELETE of policies, blocklists, engines and topics. */
export function createCollectionHandlers<T extends Spec>(
  resource: CollectionResource<T>,
): Record<'list' | 'show' | 'put' | 'remove', Handler> & {
  /** Creates or replaces it: what `put` does with the document of its request. */
  change(request: Request, name: string, makeDocument: MakeDocument<T>): Promise<Answer>
  /** What is there. Throws Fault `not-found`. */
  find(name: string): Held<T>
  view(held: Held<T>): HeldView
  answer(status: number, held: Held<T>): Answer
} {
  const { collection, noun } = resource

  function refuseUnknown(name: string): never {
    throw new Fault(
      'not-found',
      `There is no ${noun} ${JSON.stringify(name)}. GET /management/${resource.path} lists those there are.`,
    )
  }

  function find(name: string): Held<T> {
    return collection.get(name) ?? refuseUnknown(name)
  }

  function view(held: Held<T>, isListed = false): HeldView {
    const { spec, source, etag, createdAt, updatedAt } = held
    return {
      name: spec.name,
      ...resource.view(spec, isListed),
      etag,
      source,
      createdAt: new Date(createdAt).toISOString(),
      updatedAt: new Date(updatedAt).toISOString(),
    }
  }

  function answer(status: number, held: Held<T>): Answer {
    return { status, body: view(held), headers: { etag: `"${held.etag}"` } }
  }

  function accept(request: Request, document: JsonObject, name: string, current: Held<T> | undefined): T {
    checkPreconditions(request.headers, current && stateOf(current), noun)
    const rest = withoutShownFields(document, name, [...shownByAll, ...resource.shownFields], noun)
    return resource.accept({ ...rest, name }, name, current?.spec)
  }

  /** What a write would make, without making it. */
  function tryOut(request: Request, makeDocument: MakeDocument<T>, name: string): Answer {
    collection.requireWritable(name)
    const current = collection.get(name)
    const spec = { ...accept(request, makeDocument(current?.spec), name, current), name: current?.spec.name ?? name }
    const times = current ?? { etag: '', createdAt: Date.now(), updatedAt: Date.now() }
    return answer(current ? 200 : 201, { ...times, source: { kind: 'stored' }, spec })
  }

  async function change(request: Request, name: string, makeDocument: MakeDocument<T>): Promise<Answer> {
    if (isDryRun(request)) return tryOut(request, makeDocument, name)
    const { item, isNew } = await collection.write(name, (current) =>
      accept(request, makeDocument(current?.spec), name, current),
    )
    return answer(isNew ? 201 : 200, item)
  }

  return {
    change,
    find,
    view,
    answer,
    list: async () => ({ status: 200, body: { value: collection.list().map((held) => view(held, true)) } }),
    show: async (_request, name) => answer(200, find(name)),
    async put(request, name) {
      const document = await readJsonBody(request, maxDocumentBytes)
      return change(request, name, () => document)
    },
    async remove(request, name) {
      const check = (current: Held<T> | undefined) =>
        checkPreconditions(request.headers, current && stateOf(current), noun)
      if (!isDryRun(request)) {
        return (await collection.remove(name, check)) ? { status: 204 } : refuseUnknown(name)
      }
      collection.requireWritable(name)
      check(collection.get(name))
      find(name)
      collection.requireUnused(name)
      return { status: 204 }
    },
  }
}

/** What a reader of documents gives, or the Fault of what it finds wrong. */
export function requireValid<T>(reading: T | { readonly problems: readonly DocumentProblem[] }): T {
  if (typeof reading === 'object' && reading !== null && 'problems' in reading) throw refuseDocument(reading.problems)
  return reading as T
}

function withoutShownFields(document: JsonObject, name: string, shown: readonly string[], noun: string): JsonObject {
  const given = document.name
  if (given !== undefined && (typeof given !== 'string' || given.toLowerCase() !== name.toLowerCase())) {
    const text = `got ${typeof given === 'string' ? JSON.stringify(given) : 'another type'}, expected ${JSON.stringify(name)} as in the path (a ${noun} cannot be renamed), or nothing`
    throw refuseDocument([{ path: ['name'], text }])
  }
  const rest = { ...document }
  for (const field of shown) delete rest[field]
  return rest
}

function stateOf<T extends Spec>({ etag, spec }: Held<T>): { etag: string; name: string } {
  return { etag, name: spec.name }
}
