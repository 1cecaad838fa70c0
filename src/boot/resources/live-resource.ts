import type { Timeouts, Transport } from '../../backend/transport/transport.ts'
import type { ResourceRecord } from '../../control/resources/accounts.ts'
import type { Sealer } from '../../core/access/seal.ts'
import type { ResourceId } from '../../core/resource.ts'
import type { Builtins } from '../../engine/builtins.ts'
import type { ResourceTables } from '../../port/tables/port.ts'
import type { CapacityRules, Elsewhere } from '../../snapshot/capacity/judge-capacity.ts'
import { shareOf } from '../../snapshot/capacity/quota.ts'
import type { QuotaState } from '../../snapshot/capacity/quota-state.ts'
import { createCompiler } from '../../snapshot/compile.ts'
import { createCredentialReader } from '../../snapshot/credential.ts'
import { type DesiredState, openDesiredState } from '../../snapshot/desired-state.ts'
import type { FileDeployment } from '../../snapshot/file/contents.ts'
import { createPlanCompiler, type PlanCompilerParts } from '../../snapshot/filter/compile-plan.ts'
import { type DeclaredFilters, type FiltersState, openFiltersState } from '../../snapshot/filter/filters-state.ts'
import { buildKeyRing } from '../../snapshot/keys/key-ring.ts'
import { type NamedKey, readNamedKeys } from '../../snapshot/keys/named-key.ts'
import { type ResourceKey, readResourceKeys } from '../../snapshot/keys/resource-keys.ts'
import { listExpired } from '../../snapshot/plan/expiry.ts'
import type { PlaceBook } from '../../snapshot/plan/place-book.ts'
import type { Queue } from '../../snapshot/queue.ts'
import { outboundOf, requireReachable } from '../../snapshot/resources/outbound.ts'
import { emptySnapshot, type Snapshot, type SnapshotResource } from '../../snapshot/snapshot.ts'
import type { Logger } from '../../telemetry/logger.ts'

/** What the resources of a server have in common. */
export type SharedParts = {
  readonly sealer: Sealer
  readonly builtins: Builtins
  readonly log: Logger
  readSecret(name: string): string | undefined
  openTransport(origin: URL, timeouts: Timeouts): Transport
  /** The content filter policy of deployments that name none. */
  readonly defaultPolicy: string
  /** One for all: what a write was judged by must not change before it is done, wherever it is. */
  readonly enqueue: Queue
  readonly quota: QuotaState
  readonly places: PlaceBook
  /** What the configuration file says of models, and where SKUs may be served. */
  rules(): Pick<CapacityRules, 'catalog' | 'modelBackends' | 'placement'>
  /** What the content filters of a resource judge with. `checkHost` throws for a host that its engines may not be at. */
  filterParts(resource: ResourceId, checkHost: (host: string) => void): PlanCompilerParts
  /** The deployments of all but that resource. */
  listElsewhere(resource: ResourceId): readonly Elsewhere[]
  /** Told when the deployments of a resource are not as they were. */
  onDeployments(resource: ResourceId): void
}

/** What the configuration file declares of a resource, beside its description. `modifiedAt` is unix milliseconds. */
export type DeclaredContents = {
  readonly file: string
  readonly deployments: readonly FileDeployment[]
  readonly filters: DeclaredFilters
  /** In place of those that are stored. */
  readonly keys: readonly ResourceKey[]
  readonly modifiedAt: number
}

/** What tables, file, keys and time come to for one resource, compiled anew whenever one of them changes. */
export type LiveResource = {
  readonly id: ResourceId
  current(): Snapshot
  record(): ResourceRecord
  setRecord(record: ResourceRecord): void
  readonly tables: ResourceTables
  readonly state: DesiredState
  readonly filters: FiltersState
  /** What its filter engines are opened with. */
  readonly engineParts: PlanCompilerParts
  /** Content filter policies that cannot be used, and why. */
  listFilterWarnings(): readonly string[]
  capacityRules(): CapacityRules
  keys(): readonly ResourceKey[]
  /** Those of its two keys that the file gives it. */
  declaredKeys(): readonly ResourceKey[]
  namedKeys(): readonly NamedKey[]
  setResourceKeys(keys: readonly ResourceKey[]): void
  setNamedKeys(keys: readonly NamedKey[]): void
  /** Takes over what the file declares, whole. */
  declare(contents: DeclaredContents): void
  /** Compiles it from now on, and ends what is over. */
  start(): void
  /** Compiles anew, since something outside it has changed. */
  refresh(): void
  /** Reads again what is stored, since another server may have written it. Must run in a turn of the queue. */
  reread(): Promise<void>
  close(): void
}

/** What a timer can count; a later end is waited for in several. */
const longestTimerMs = 2 ** 31 - 1

/** Reads all that belongs to the resource and holds it from then on; it is compiled when it is started. */
export async function openLiveResource(
  first: ResourceRecord,
  tables: ResourceTables,
  shared: SharedParts,
): Promise<LiveResource> {
  const { sealer, log, quota, defaultPolicy } = shared
  const { id } = first
  let record = first
  const state = await openDesiredState(tables, shared.enqueue)
  const filters = await openFiltersState({
    table: tables.filters,
    now: Date.now,
    enqueue: shared.enqueue,
    listDeployments: () => state.list().map(({ spec }) => spec),
    defaultPolicy,
  })
  let storedKeys: readonly ResourceKey[] = await readResourceKeys(tables, sealer, id)
  let declaredKeys: readonly ResourceKey[] = []
  const stored = await readNamedKeys(tables.namedKeys)
  for (const warning of stored.warnings) log.warn({}, warning)
  let namedKeys = stored.keys
  /** Goes up whenever keys are set, so that what was read before that does not take their place. */
  let keysVersion = 0

  let place = placeOf(record)
  const engineParts = shared.filterParts(id, (host) => requireReachable(host, outboundOf(place.properties)))
  const planCompiler = createPlanCompiler(engineParts)
  const compiler = createCompiler({
    findBuiltin: (name) => shared.builtins.find(name)?.backend,
    openTransport: shared.openTransport,
    readCredential: createCredentialReader(sealer, shared.readSecret),
    catalog: () => shared.rules().catalog,
    // Only those borrow that may go over their own: a list of all for each of thousands would be too long.
    poolOf: (spec) =>
      spec.dynamicThrottlingEnabled
        ? shareOf(
            spec,
            quota.list(),
            [...state.list(), ...shared.listElsewhere(id)].map((item) => item.spec),
          )
        : undefined,
    defaultPolicy,
    filters: () => planCompiler.compile(filters, listPolicyNames()),
    resource: () => place,
    places: shared.places,
    now: Date.now,
  })
  let snapshot: Snapshot = emptySnapshot
  let changeTimer: NodeJS.Timeout | undefined
  let toldWarnings: ReadonlySet<string> = new Set()
  /** While what a file declares or tables hold is taken over piece by piece: what deployments name may not be there yet. */
  let isTakingOver = false
  /** Between the start and the end: what the file declares has to be there before anything is compiled. */
  let isRunning = false

  /** Those that deployments have. */
  function listPolicyNames(): string[] {
    return [defaultPolicy, ...state.list().flatMap(({ spec }) => spec.raiPolicyName ?? [])]
  }

  /** What the file says comes before what is stored. */
  function keys(): readonly ResourceKey[] {
    const declared = new Map(declaredKeys.map((key) => [key.name, key]))
    return [...new Map([...storedKeys.map((key) => [key.name, key] as const), ...declared]).values()]
  }

  function refresh(): void {
    if (isTakingOver || !isRunning) return
    clearTimeout(changeTimer)
    snapshot = compiler.compile(state.list(), buildKeyRing(keys(), namedKeys, id))
    const warnings = planCompiler.listWarnings()
    for (const warning of warnings) if (!toldWarnings.has(warning)) log.error({}, warning)
    toldWarnings = new Set(warnings)
    const nextChangeAt = compiler.nextChangeAt()
    if (nextChangeAt === undefined) return
    const waitMs = Math.max(0, nextChangeAt - Date.now())
    changeTimer = setTimeout(passTime, Math.min(waitMs, longestTimerMs))
    changeTimer.unref()
  }

  /** Compiles once, when all of it is there. */
  function takeOver(change: () => void): void {
    isTakingOver = true
    try {
      change()
    } finally {
      isTakingOver = false
    }
    refresh()
    shared.onDeployments(id)
  }

  function passTime(): void {
    refresh()
    for (const name of listExpired(state.list(), Date.now())) {
      const warn = (error: unknown) => log.error({ deployment: name }, `an expired deployment stays: ${String(error)}`)
      state.remove(name).then(() => log.info({ deployment: name }, 'the deployment has expired and was removed'), warn)
    }
  }

  state.subscribe(() => {
    refresh()
    if (!isTakingOver) shared.onDeployments(id)
  })
  filters.subscribe(refresh)
  const unsubscribe = quota.subscribe(refresh)

  return {
    id,
    current: () => snapshot,
    record: () => record,
    setRecord(next) {
      if (next === record) return
      record = next
      place = placeOf(next)
      refresh()
    },
    tables,
    state,
    filters,
    engineParts,
    listFilterWarnings: () => [...filters.listWarnings(), ...planCompiler.listWarnings()],
    capacityRules: () => ({
      ...shared.rules(),
      pools: quota.list(),
      elsewhere: shared.listElsewhere(id),
      outbound: outboundOf(place.properties),
      now: Date.now(),
    }),
    keys,
    declaredKeys: () => declaredKeys,
    namedKeys: () => namedKeys,
    setResourceKeys(next) {
      keysVersion++
      storedKeys = next
      refresh()
    },
    setNamedKeys(next) {
      keysVersion++
      namedKeys = next
      refresh()
    },
    declare(contents) {
      takeOver(() => {
        declaredKeys = contents.keys
        filters.declare(contents.filters, contents.modifiedAt)
        state.declare(contents)
      })
    },
    start() {
      if (isRunning) return
      isRunning = true
      passTime()
    },
    refresh,
    async reread() {
      const read = [await filters.reread(), await state.reread()]
      const version = keysVersion
      const [readKeys, readNamed] = [await readResourceKeys(tables, sealer, id), await readNamedKeys(tables.namedKeys)]
      takeOver(() => {
        for (const takeOverRead of read) takeOverRead()
        // Keys that were set meanwhile were stored before: whoever did that has told us, and this is called again.
        if (version !== keysVersion) return
        storedKeys = readKeys
        namedKeys = readNamed.keys
      })
    },
    close() {
      isRunning = false
      clearTimeout(changeTimer)
      unsubscribe()
      compiler.close()
      planCompiler.close()
    },
  }
}

/** One object as long as nothing changes: what is worked out from it is kept with it. */
function placeOf({ id, spec }: ResourceRecord): SnapshotResource {
  return { id, name: spec.name, properties: spec.properties }
}
