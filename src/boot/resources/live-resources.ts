import type { ResourceRecord } from '../../control/resources/accounts.ts'
import { Fault } from '../../core/fault.ts'
import { ownResource, type ResourceId } from '../../core/resource.ts'
import type { Tables } from '../../port/tables/port.ts'
import type { CapacityRules, Elsewhere } from '../../snapshot/capacity/judge-capacity.ts'
import { openQuotaState, type QuotaState } from '../../snapshot/capacity/quota-state.ts'
import { createCatalog } from '../../snapshot/catalog/create-catalog.ts'
import type { StoredNames } from '../../snapshot/file/filter-sections.ts'
import type { DeclaredIdentity } from '../../snapshot/file/identity-section.ts'
import { type Config, formatFailure } from '../../snapshot/file/load-config.ts'
import type { FileResource } from '../../snapshot/file/resource-section.ts'
import { type ConfigWatch, watchConfig } from '../../snapshot/file/watch-config.ts'
import type { WebhookSpec } from '../../snapshot/file/webhook-section.ts'
import { createPlaceBook } from '../../snapshot/plan/place-book.ts'
import { type DeploymentPolicies, openDeploymentPolicies } from '../../snapshot/policy/policies-state.ts'
import { createQueue, type Queue } from '../../snapshot/queue.ts'
import type { Snapshot } from '../../snapshot/snapshot.ts'
import { type LiveResource, openLiveResource, type SharedParts } from './live-resource.ts'
import { makeMissingKeys } from './make-keys.ts'
import { createResourceIndex, type ResourceIndex } from './resource-index.ts'
import { createResourceBook, type ResourceBook } from './stored-resources.ts'

export type LiveResourcesParts = Pick<
  SharedParts,
  'sealer' | 'builtins' | 'log' | 'readSecret' | 'openTransport' | 'filterParts' | 'defaultPolicy'
> & {
  readonly tables: Tables
  /** The configuration file, if there is one. */
  readonly config: string | undefined
  /** Told when resources have come or gone, or have other hosts. */
  onHosts?(): void
}

/** The resources of the server as tables, file and time make them, and what they have in common. */
export type LiveResources = {
  readonly own: LiveResource
  /** Those that are reachable, the server's own first. */
  list(): readonly LiveResource[]
  get(id: ResourceId | undefined): LiveResource | undefined
  find(name: string): LiveResource | undefined
  /** As that of `ResourceIndex`. */
  pick(url: URL): Snapshot | undefined
  /** Host names of the resources that are not the server's own. */
  listHosts(): readonly string[]
  readonly quota: QuotaState
  readonly policies: DeploymentPolicies
  /** Those of the configuration file. */
  listWebhooks(): readonly WebhookSpec[]
  /** Who may be trusted, as the configuration file says. */
  identity(): DeclaredIdentity | undefined
  /** Why the configuration file is not used, if it is not. */
  configError(): string | undefined
  listWarnings(): readonly string[]
  /** Reads again all that is stored, since another server may have written it, and compiles it where it is not as it was. */
  reload(): Promise<void>
  /** For what writes resources: all of it in turns of this queue. */
  readonly enqueue: Queue
  readonly book: ResourceBook
  /** Opens and closes resources until they are those of the book. Must run in a turn of the queue. */
  settle(): Promise<void>
  /** Reads a resource that is not reachable, to be closed again. */
  peek(record: ResourceRecord): Promise<LiveResource>
  close(): void
}

/** Rejects with Fault `invalid-request` for a configuration file that is wrong at the start; later its last valid state stays. */
export async function openLiveResources(parts: LiveResourcesParts): Promise<LiveResources> {
  const { tables, sealer, builtins, log, readSecret, defaultPolicy } = parts
  const enqueue = createQueue()
  const quota = await openQuotaState(tables.quota, Date.now)
  const policies = await openDeploymentPolicies({ table: tables.filters, now: Date.now, enqueue })
  const book = createResourceBook()
  const open = new Map<ResourceId, LiveResource>()
  /** What of the file a resource has taken over. */
  const taken = new Map<ResourceId, FileResource>()
  let rules: Pick<CapacityRules, 'catalog' | 'modelBackends' | 'placement'> = {
    catalog: createCatalog(builtins.models),
    placement: {},
  }
  let webhooks: readonly WebhookSpec[] = []
  let identity: DeclaredIdentity | undefined
  let declaredAt = 0

  const shared: SharedParts = {
    ...parts,
    enqueue,
    quota,
    places: createPlaceBook(),
    rules: () => rules,
    listElsewhere: (id) => [...open.values()].flatMap((resource) => (resource.id === id ? [] : listSpecs(resource))),
    onDeployments: refreshBorrowers,
  }

  /** What they have of quota pools depends on what others have of them. */
  function refreshBorrowers(but?: ResourceId): void {
    for (const resource of open.values()) if (resource.id !== but && hasBorrowers(resource)) resource.refresh()
  }

  const tablesOf = (id: ResourceId) => (id === ownResource ? tables : tables.of(id))
  const openOne = (record: ResourceRecord) => openLiveResource(record, tablesOf(record.id), shared)

  book.setRows(await tables.resources.list())
  const [first] = book.listWanted()
  if (!first?.record.isDefault) {
    throw new Fault('state-unusable', book.listWarnings()[0] ?? 'The database has no resource.')
  }
  const own = await openOne(first.record)
  open.set(ownResource, own)
  let index: ResourceIndex = createResourceIndex(own, [])

  async function settle(): Promise<void> {
    const wanted = new Map(book.listWanted().map((item) => [item.record.id, item]))
    for (const [id, resource] of open) {
      if (wanted.has(id)) continue
      open.delete(id)
      taken.delete(id)
      shared.places.share(id, [])
      resource.close()
      log.info({ resource: resource.record().spec.name }, 'the resource is no longer reachable')
    }
    for (const { record, declared } of wanted.values()) {
      const resource = open.get(record.id) ?? (await openOther(record))
      open.set(record.id, resource)
      resource.setRecord(record)
      if (declared !== taken.get(record.id)) {
        if (declared) taken.set(record.id, declared)
        else taken.delete(record.id)
        resource.declare(contentsOf(declared))
      }
      resource.start()
    }
    index = createResourceIndex(
      own,
      [...open.values()].filter((resource) => resource !== own),
    )
    parts.onHosts?.()
    refreshBorrowers()
  }

  async function openOther(record: ResourceRecord): Promise<LiveResource> {
    await tables.exclusively(() => makeMissingKeys(tables.of(record.id), sealer, record.id))
    const resource = await openOne(record)
    log.info({ resource: record.spec.name }, 'the resource is reachable')
    return resource
  }

  function contentsOf(declared: FileResource | undefined) {
    const nothing = { policies: [], blocklists: [], engines: [], topics: [] }
    return {
      file: declared?.file ?? '',
      deployments: declared?.deployments ?? [],
      filters: declared?.filters ?? nothing,
      keys: (declared?.keys ?? []).map((key) => ({ ...key, createdAt: declaredAt })),
      modifiedAt: declaredAt,
    }
  }

  const file = createFileFollower()
  if (parts.config !== undefined) await file.follow(parts.config)
  if (!own.filters.policies.get(defaultPolicy)) {
    file.close()
    const known = own.filters.policies.list().map(({ spec }) => JSON.stringify(spec.name))
    throw new Fault(
      'invalid-request',
      `--rai-policy: got ${JSON.stringify(defaultPolicy)}, expected one of ${known.join(', ')}`,
    )
  }
  await enqueue(settle)

  /** Follows the configuration file: what it says of all resources is taken over at once, what is in them as they open. */
  function createFileFollower() {
    let watch: ConfigWatch | undefined
    let error: string | undefined
    let isOpen = false

    function takeOver(config: Config): void {
      rules = config.rules
      declaredAt = config.modifiedAt
      webhooks = config.webhooks
      identity = config.identity
      quota.declare(config.file, config.rules.pools)
      policies.declare(config.deploymentPolicies, config.modifiedAt)
      own.declare({ ...config, keys: [] })
      book.declare({ own: config.resource, resources: config.resources, modifiedAt: config.modifiedAt })
      if (!isOpen) return
      const fail = (reason: unknown) =>
        log.error({ err: reason }, 'the resources of the configuration file are not all open')
      enqueue(settle).catch(fail)
    }

    return {
      error: () => error,
      close: () => watch?.close(),
      async follow(path: string): Promise<void> {
        const options = {
          builtinModels: builtins.models,
          readSecret,
          now: Date.now,
          ownName: own.record().spec.name,
          listStored: () => namesOf(own),
          listStoredOf: (name: string) => {
            const resource = index.find(name)
            return resource ? namesOf(resource) : noNames
          },
          listStoredPolicies: () => policies.collection.listStored().map(({ spec }) => spec),
          defaultRaiPolicy: defaultPolicy,
        }
        watch = await watchConfig(path, options, {
          onChange(config) {
            takeOver(config)
            if (error !== undefined || isOpen) log.info({ file: config.file }, 'the configuration file is in force')
            error = undefined
          },
          onError(failure) {
            error = formatFailure(failure)
            // At the start it is what the start ends with.
            if (isOpen) log.error({ file: failure.file }, `the configuration file is not used:\n${error}`)
          },
        })
        isOpen = true
        if (error === undefined) return
        watch.close()
        throw new Fault('invalid-request', error)
      },
    }
  }

  return {
    own,
    list: () => [...open.values()],
    get: (id = ownResource) => open.get(id),
    find: (name) => index.find(name),
    pick: (url) => index.pick(url),
    listHosts: () => index.hosts,
    quota,
    policies,
    listWebhooks: () => webhooks,
    identity: () => identity,
    configError: () => file.error(),
    listWarnings: () => [...book.listWarnings(), ...policies.listWarnings()],
    async reload() {
      await quota.reload()
      await enqueue(async () => {
        const takeOverPolicies = await policies.reread()
        takeOverPolicies()
        book.setRows(await tables.resources.list())
        await settle()
        for (const resource of open.values()) await resource.reread()
      })
    },
    enqueue,
    book,
    settle,
    peek: openOne,
    close() {
      file.close()
      for (const resource of open.values()) resource.close()
    },
  }
}

const noNames: StoredNames = { deployments: [], policies: [], refs: { blocklists: [], topics: [], engines: [] } }

/** What is stored and may be named in the file. */
function namesOf({ state, filters }: LiveResource): StoredNames {
  const stored = state.list().filter(({ source }) => source.kind === 'stored')
  return {
    deployments: stored.map(({ spec }) => spec.name),
    policies: filters.policies.listStored().map(({ spec }) => spec.name),
    refs: filters.storedRefs(),
  }
}

function listSpecs(resource: LiveResource): Elsewhere[] {
  const { id, spec } = resource.record()
  return resource.state.list().map((item) => ({ resource: { id, name: spec.name }, spec: item.spec }))
}

/** Whether some of its deployments may go over what they have. */
function hasBorrowers({ state }: LiveResource): boolean {
  return state.list().some(({ spec }) => spec.dynamicThrottlingEnabled)
}
