import type { JsonObject } from '../../../core/json.ts'
import type { Collection, Held } from '../../../snapshot/filter/collection.ts'
import type { createCollectionHandlers, MakeDocument } from '../../filters/collection-handlers.ts'
import type { Answer } from '../../http/answer.ts'
import { isDryRun } from '../../http/dry-run.ts'
import { checkPreconditions } from '../../http/preconditions.ts'
import { readJsonBody } from '../../http/read-body.ts'
import type { Account } from '../../resources/accounts.ts'
import { type FindOptions, findAccount } from '../accounts/find-account.ts'
import { type ArmRoute, type ArmVisit, ofAccount, paramOf, route } from '../http/arm-route.ts'
import { refuseMissing, tellInArmWords } from '../http/errors.ts'
import { pageOf } from '../http/page.ts'
import { childHead } from '../http/resource-id.ts'

type Spec = { readonly name: string }

/** What a content filter is made of, as the vendor's API has it below an account. */
export type HeldResource<T extends Spec> = {
  /** In paths and actions: `raiTopics`. */
  readonly word: string
  /** In types and ids, where that is written otherwise: `raitopics`. */
  readonly type?: string
  /** What its paths call the name: `topic`. */
  readonly param: string
  /** Of a document; 1 MiB when absent. */
  readonly maxBodyBytes?: number
  collection(account: Account): Collection<T>
  handlers(account: Account): Pick<ReturnType<typeof createCollectionHandlers<T>>, 'change' | 'remove'>
  /** The document of our own API for one that is PUT. Throws Fault `invalid-request` for what it cannot be. */
  readDocument(body: JsonObject, name: string): MakeDocument<T>
  /** A field of our own document, as the vendor's calls it. */
  nameOfField(field: string): string
  /** What is shown besides what every resource has. */
  view(held: Held<T>, visit: ArmVisit): object
}

/** GET of all, and GET, PUT and DELETE of one. */
export function heldRoutes<T extends Spec>(options: FindOptions, resource: HeldResource<T>): readonly ArmRoute[] {
  const { word, param } = resource
  const path = `${ofAccount}/${word}`
  const one = `${path}/{${param}}`
  const actions = `accounts/${word}`
  const find = (visit: ArmVisit) => findAccount(options, visit)
  return [
    route('GET', path, `${actions}/read`, async (_, visit) => {
      const account = await find(visit)
      return pageOf(
        visit,
        resource.collection(account).list(),
        ({ spec }) => spec.name,
        (held) => viewHeld(resource, account, held, visit),
      )
    }),
    route('GET', one, `${actions}/read`, async (_, visit) => answerHeld(resource, await find(visit), visit, 200)),
    route('PUT', one, `${actions}/write`, async (request, visit) => {
      const name = paramOf(visit, param)
      const document = resource.readDocument(await readJsonBody(request, resource.maxBodyBytes), name)
      const account = await find(visit)
      const { status, body } = await tellInArmWords(resource.nameOfField, () =>
        resource.handlers(account).change(request, name, document),
      )
      // Of a trial nothing can be found.
      if (isDryRun(request)) return { status, body }
      return answerHeld(resource, account, visit, status)
    }),
    route(
      'DELETE',
      one,
      `${actions}/delete`,
      async (request, visit) => {
        const account = await find(visit)
        const name = paramOf(visit, param)
        // What is not there is deleted already; a trial tells what our own API tells of one.
        if (!resource.collection(account).get(name)) {
          checkPreconditions(request.headers, undefined, 'resource')
          return { status: 204 }
        }
        const { status } = await resource.handlers(account).remove(request, name, '')
        return { status: isDryRun(request) ? status : 202 }
      },
      { isLong: true },
    ),
  ]
}

/** The one that the path names. Throws Fault `not-found`. */
export function requireHeld<T extends Spec>(resource: HeldResource<T>, account: Account, visit: ArmVisit): Held<T> {
  const { word, type = word } = resource
  const name = paramOf(visit, resource.param)
  const { spec } = account
  const found = resource.collection(account).get(name)
  return found ?? refuseMissing(`accounts/${type}`, `${spec.name}/${name}`, spec.resourceGroup)
}

/** The one that the path names, as it is now. Throws Fault `not-found`. */
export function answerHeld<T extends Spec>(
  resource: HeldResource<T>,
  account: Account,
  visit: ArmVisit,
  status: number,
): Answer {
  const held = requireHeld(resource, account, visit)
  return { status, body: viewHeld(resource, account, held, visit), headers: { etag: `"${held.etag}"` } }
}

function viewHeld<T extends Spec>(resource: HeldResource<T>, account: Account, held: Held<T>, visit: ArmVisit): object {
  const { word, type = word } = resource
  return { ...childHead(account.spec, type, timesOf(held)), ...resource.view(held, visit) }
}

/** As every resource shows them. */
export function timesOf({ spec, etag, createdAt, updatedAt }: Held<Spec>) {
  return {
    name: spec.name,
    etag,
    createdAt: new Date(createdAt).toISOString(),
    updatedAt: new Date(updatedAt).toISOString(),
  }
}
