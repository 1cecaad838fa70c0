import { refuseDocument } from '../../control/http/errors.ts'
import type { Account, Accounts, DeletedAccount } from '../../control/resources/accounts.ts'
import type { RoutesOptions } from '../../control/routes.ts'
import type { Sealer } from '../../core/access/seal.ts'
import { Fault } from '../../core/fault.ts'
import { type ResourceSpec, resourceKey } from '../../core/resource.ts'
import { randomId } from '../../core/text/id.ts'
import type { Tables } from '../../port/tables/port.ts'
import { allocatedOf, describeShortage, type QuotaPool } from '../../snapshot/capacity/quota.ts'
import { documentOf, hostLabels, judgeResourceChange } from '../../snapshot/resources/resource-spec.ts'
import type { LiveResource } from './live-resource.ts'
import type { LiveResources } from './live-resources.ts'
import { makeMissingKeys } from './make-keys.ts'

export type AccountsParts = {
  readonly resources: LiveResources
  readonly tables: Tables
  readonly sealer: Sealer
  /** What the routes of a resource need; asked once for each that is opened. */
  describeRoutes(resource: LiveResource): RoutesOptions
  /** Unix milliseconds. */
  now(): number
}

/** The resources as the management API sees and changes them. */
export function createAccounts({ resources, tables, sealer, describeRoutes, now }: AccountsParts): Accounts {
  const { book, enqueue } = resources
  const table = tables.resources
  const routes = new WeakMap<LiveResource, RoutesOptions>()

  function view(resource: LiveResource): Account {
    const known = routes.get(resource) ?? describeRoutes(resource)
    routes.set(resource, known)
    return { ...resource.record(), routes: known, current: resource.current }
  }

  function find(name: string): Account | undefined {
    const resource = resources.find(name)
    return resource && view(resource)
  }

  function requireWritable(name: string): void {
    const source = find(name)?.source
    if (source?.kind !== 'file') return
    throw new Fault(
      'conflict',
      `The resource "${find(name)?.spec.name}" is declared in ${source.file}, line ${source.line}, and can only be changed there.`,
      { vendorCode: 'DeclaredInFile' },
    )
  }

  function requireRemovable(name: string): void {
    requireWritable(name)
    const account = find(name)
    if (!account?.isDefault) return
    throw new Fault(
      'conflict',
      `"${account.spec.name}" is the server's own resource and cannot be deleted. Delete what it has, or stop the server.`,
      { vendorCode: 'DefaultResource' },
    )
  }

  function check(spec: ResourceSpec): void {
    const key = resourceKey(spec.name)
    const row = book.findRow(spec.name)
    if (row?.deletedAt !== undefined && !book.findDeclared(spec.name)) {
      throw new Fault(
        'conflict',
        `The resource "${row.name}" was deleted and can be restored. Restore it, or purge it first to make a new one of its name.`,
        { vendorCode: 'FlagMustBeSetForRestore' },
      )
    }
    const problems = judgeResourceChange(spec, find(spec.name)?.spec)
    if (problems.length > 0) throw refuseDocument(problems)
    const labels = new Set(hostLabels(spec))
    const others = [...resources.list().map((resource) => resource.record()), ...book.listDeleted()]
    const taken = others.find(
      (other) => resourceKey(other.spec.name) !== key && hostLabels(other.spec).some((label) => labels.has(label)),
    )
    if (!taken) return
    throw new Fault(
      'conflict',
      `The host names of "${spec.name}" are those of the resource "${taken.spec.name}" too. Give it another name or subdomain.`,
      { vendorCode: 'CustomDomainInUse', param: 'properties.customSubDomainName' },
    )
  }

  const findDeleted = (name: string): DeletedAccount | undefined =>
    book.listDeleted().find((deleted) => resourceKey(deleted.spec.name) === resourceKey(name))

  async function requireFit({ deletedAt, ...record }: DeletedAccount): Promise<void> {
    const peeked = await resources.peek(record)
    try {
      requireQuota(peeked, resources)
    } finally {
      peeked.close()
    }
  }

  return {
    list: () => resources.list().map(view).toSorted(byName),
    find,
    own: () => view(resources.own),
    requireWritable,
    requireRemovable,
    check,
    put: (name, edit) =>
      enqueue(async () => {
        requireWritable(name)
        const current = find(name)
        const spec = { ...edit(current), name: current?.spec.name ?? name }
        check(spec)
        if (current) {
          const row = await table.update(current.id, { document: documentOf(spec) }, current.etag, now())
          if (!row) throw changedElsewhere(spec.name)
          book.putRow(row)
        } else {
          // Its keys are there before it is, so that no other server makes some too.
          const id = `${resourceKey(name)}~${randomId(8).toLowerCase()}`
          await makeMissingKeys(tables.of(id), sealer, id)
          const row = await table.add(id, name, documentOf(spec), now())
          if (!row) throw changedElsewhere(spec.name)
          book.putRow(row)
        }
        await resources.settle()
        return { account: requireThere(find(name)), isNew: current === undefined }
      }),
    remove: (name, checkFirst) =>
      enqueue(async () => {
        requireRemovable(name)
        const current = find(name)
        checkFirst?.(current)
        if (!current) return false
        const time = now()
        const row = await table.update(current.id, { deletedAt: time }, current.etag, time)
        if (!row) throw changedElsewhere(name)
        book.putRow(row)
        await resources.settle()
        return true
      }),
    listDeleted: () => book.listDeleted().toSorted(byName),
    findDeleted,
    restore: (name, checkFirst) =>
      enqueue(async () => {
        const deleted = findDeleted(name)
        checkFirst?.(deleted)
        if (!deleted) return undefined
        await requireFit(deleted)
        const row = await table.update(deleted.id, { deletedAt: null }, deleted.etag, now())
        if (!row) throw changedElsewhere(name)
        book.putRow(row)
        await resources.settle()
        return requireThere(find(name))
      }),
    requireRestorable: (name) =>
      enqueue(async () => {
        const deleted = findDeleted(name)
        if (deleted) await requireFit(deleted)
      }),
    purge: (name, checkFirst) =>
      enqueue(async () => {
        const deleted = findDeleted(name)
        checkFirst?.(deleted)
        if (!deleted) return false
        if (!(await table.delete(deleted.id, deleted.etag, now()))) throw changedElsewhere(name)
        const row = book.findRow(name)
        if (row) book.removeRow(row)
        return true
      }),
  }
}

/** Whether what the resource had still fits into the pools beside what others have taken since. */
function requireQuota(peeked: LiveResource, resources: LiveResources): void {
  const pools: readonly QuotaPool[] = resources.quota.list()
  const own = peeked.state.list().map(({ spec }) => spec)
  const others = resources.list().flatMap(({ state }) => state.list().map(({ spec }) => spec))
  for (const pool of pools) {
    const asked = allocatedOf(pool, pools, own)
    const used = allocatedOf(pool, pools, others)
    if (asked > 0 && used + asked > pool.limit) {
      throw new Fault('insufficient-quota', describeShortage(asked, used, pool))
    }
  }
}

function byName(a: { readonly spec: ResourceSpec }, b: { readonly spec: ResourceSpec }): number {
  return resourceKey(a.spec.name) < resourceKey(b.spec.name) ? -1 : 1
}

function requireThere(account: Account | undefined): Account {
  if (account) return account
  throw new Fault('internal', 'The resource was written, and is not open.')
}

function changedElsewhere(name: string): Fault {
  return new Fault(
    'conflict',
    `The resource "${name}" was changed by another server at the same time. Look at it and try again.`,
  )
}
