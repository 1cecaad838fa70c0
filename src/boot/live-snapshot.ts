import type { Timeouts, Transport } from '../backend/transport/transport.ts'
import { Fault } from '../core/fault.ts'
import type { Sealer } from '../core/seal.ts'
import type { Builtins } from '../engine/builtins.ts'
import type { Tables } from '../port/tables/port.ts'
import type { CapacityRules } from '../snapshot/capacity/judge-capacity.ts'
import { shareOf } from '../snapshot/capacity/quota.ts'
import { openQuotaState, type QuotaState } from '../snapshot/capacity/quota-state.ts'
import { createCatalog } from '../snapshot/catalog/create-catalog.ts'
import { createCompiler } from '../snapshot/compile.ts'
import { createCredentialReader } from '../snapshot/credential.ts'
import { type DesiredState, openDesiredState } from '../snapshot/desired-state.ts'
import { formatFailure } from '../snapshot/file/load-config.ts'
import { type ConfigWatch, watchConfig } from '../snapshot/file/watch-config.ts'
import type { WebhookSpec } from '../snapshot/file/webhook-section.ts'
import { createPlanCompiler, type PlanCompilerParts } from '../snapshot/filter/compile-plan.ts'
import { type FiltersState, openFiltersState } from '../snapshot/filter/filters-state.ts'
import { buildKeyRing } from '../snapshot/keys/key-ring.ts'
import { type NamedKey, readNamedKeys } from '../snapshot/keys/named-key.ts'
import { listExpired } from '../snapshot/plan/expiry.ts'
import { createQueue } from '../snapshot/queue.ts'
import { type ResourceKey, readResourceKeys } from '../snapshot/resource-keys.ts'
import { emptySnapshot, type Snapshot } from '../snapshot/snapshot.ts'
import type { Logger } from '../telemetry/logger.ts'

export type LiveSnapshotParts = {
  readonly tables: Tables
  readonly sealer: Sealer
  readonly builtins: Builtins
  /** The configuration file, if there is one. */
  readonly config: string | undefined
  readonly log: Logger
  readSecret(name: string): string | undefined
  openTransport(origin: URL, timeouts: Timeouts): Transport
  /** What content filters judge with. */
  readonly filters: PlanCompilerParts
  /** The content filter policy of deployments that name none. */
  readonly defaultPolicy: string
}

/** What tables, file, keys and time come to, compiled anew whenever one of them changes. */
export type LiveSnapshot = {
  current(): Snapshot
  readonly state: DesiredState
  readonly quota: QuotaState
  readonly filters: FiltersState
  /** Content filter policies that cannot be used, and why. */
  listFilterWarnings(): readonly string[]
  capacityRules(): CapacityRules
  namedKeys(): readonly NamedKey[]
  /** Those of the configuration file. */
  listWebhooks(): readonly WebhookSpec[]
  setResourceKeys(keys: readonly ResourceKey[]): void
  setNamedKeys(keys: readonly NamedKey[]): void
  /** Why the configuration file is not used, if it is not. */
  configError(): string | undefined
  close(): void
}

/** What a timer can count; a later end is waited for in several. */
const longestTimerMs = 2 ** 31 - 1

/** Rejects with Fault `invalid-request` for a configuration file that is wrong at the start; later its last valid state stays. */
export async function openLiveSnapshot(parts: LiveSnapshotParts): Promise<LiveSnapshot> {
  const { tables, sealer, builtins, log, readSecret } = parts
  const { defaultPolicy } = parts
  const enqueue = createQueue()
  const state = await openDesiredState(tables, enqueue)
  const filters = await openFiltersState({
    table: tables.filters,
    now: Date.now,
    enqueue,
    listDeployments: () => state.list().map(({ spec }) => spec),
    defaultPolicy,
  })
  const quota = await openQuotaState(tables.quota, Date.now)
  let resourceKeys: readonly ResourceKey[] = await readResourceKeys(tables, sealer)
  const stored = await readNamedKeys(tables.namedKeys)
  for (const warning of stored.warnings) log.warn({}, warning)
  let namedKeys = stored.keys
  let rules: Pick<CapacityRules, 'catalog' | 'placement'> = { catalog: createCatalog(builtins.models), placement: {} }

  const planCompiler = createPlanCompiler(parts.filters)
  const compiler = createCompiler({
    findBuiltin: (name) => builtins.find(name)?.backend,
    openTransport: parts.openTransport,
    readCredential: createCredentialReader(sealer, readSecret),
    catalog: () => rules.catalog,
    // Only those borrow that may go over their own: a list of all for each of thousands would be too long.
    poolOf: (spec) =>
      spec.dynamicThrottlingEnabled
        ? shareOf(
            spec,
            quota.list(),
            state.list().map((item) => item.spec),
          )
        : undefined,
    defaultPolicy,
    filters: () => planCompiler.compile(filters, listPolicyNames()),
    now: Date.now,
  })
  let snapshot: Snapshot = { ...emptySnapshot, keys: buildKeyRing(resourceKeys, namedKeys) }
  let changeTimer: NodeJS.Timeout | undefined
  let toldWarnings: ReadonlySet<string> = new Set()
  /** While what a file declares is taken over piece by piece: what deployments name may not be there yet. */
  let isDeclaring = false
  let webhooks: readonly WebhookSpec[] = []

  /** Those that deployments have. */
  function listPolicyNames(): string[] {
    return [defaultPolicy, ...state.list().flatMap(({ spec }) => spec.raiPolicyName ?? [])]
  }

  function refresh(): void {
    if (isDeclaring) return
    clearTimeout(changeTimer)
    snapshot = compiler.compile(state.list(), buildKeyRing(resourceKeys, namedKeys))
    const warnings = planCompiler.listWarnings()
    for (const warning of warnings) if (!toldWarnings.has(warning)) log.error({}, warning)
    toldWarnings = new Set(warnings)
    const nextChangeAt = compiler.nextChangeAt()
    if (nextChangeAt === undefined) return
    const waitMs = Math.max(0, nextChangeAt - Date.now())
    changeTimer = setTimeout(passTime, Math.min(waitMs, longestTimerMs))
    changeTimer.unref()
  }

  function passTime(): void {
    refresh()
    for (const name of listExpired(state.list(), Date.now())) {
      const warn = (error: unknown) => log.error({ deployment: name }, `an expired deployment stays: ${String(error)}`)
      state.remove(name).then(() => log.info({ deployment: name }, 'the deployment has expired and was removed'), warn)
    }
  }

  let configError: string | undefined
  let isOpen = false
  let configWatch: ConfigWatch | undefined
  if (parts.config !== undefined) {
    const listStored = () => ({
      deployments: state
        .list()
        .filter(({ source }) => source.kind === 'stored')
        .map(({ spec }) => spec.name),
      policies: filters.policies.listStored().map(({ spec }) => spec.name),
      refs: filters.storedRefs(),
    })
    const options = { builtinModels: builtins.models, readSecret, now: Date.now, listStored }
    configWatch = await watchConfig(parts.config, options, {
      onChange(config) {
        rules = config.rules
        isDeclaring = true
        try {
          quota.declare(config.file, config.rules.pools)
          filters.declare(config.filters, config.modifiedAt)
          state.declare(config)
          webhooks = config.webhooks
        } finally {
          isDeclaring = false
        }
        if (isOpen) refresh()
        if (configError !== undefined || isOpen) log.info({ file: config.file }, 'the configuration file is in force')
        configError = undefined
      },
      onError(failure) {
        configError = formatFailure(failure)
        // At the start it is what the start ends with.
        if (isOpen) log.error({ file: failure.file }, `the configuration file is not used:\n${configError}`)
      },
    })
    if (configError !== undefined) {
      configWatch.close()
      throw new Fault('invalid-request', configError)
    }
  }
  if (!filters.policies.get(defaultPolicy)) {
    configWatch?.close()
    const known = filters.policies.list().map(({ spec }) => JSON.stringify(spec.name))
    throw new Fault(
      'invalid-request',
      `--rai-policy: got ${JSON.stringify(defaultPolicy)}, expected one of ${known.join(', ')}`,
    )
  }
  isOpen = true
  refresh()
  passTime()
  state.subscribe(refresh)
  quota.subscribe(refresh)
  filters.subscribe(refresh)

  return {
    current: () => snapshot,
    state,
    quota,
    filters,
    listFilterWarnings: () => [...filters.listWarnings(), ...planCompiler.listWarnings()],
    capacityRules: () => ({ ...rules, pools: quota.list(), now: Date.now() }),
    namedKeys: () => namedKeys,
    listWebhooks: () => webhooks,
    setResourceKeys(keys) {
      resourceKeys = keys
      refresh()
    },
    setNamedKeys(keys) {
      namedKeys = keys
      refresh()
    },
    configError: () => configError,
    close() {
      clearTimeout(changeTimer)
      configWatch?.close()
      compiler.close()
      planCompiler.close()
    },
  }
}
