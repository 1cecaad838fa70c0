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
import { buildKeyRing } from '../snapshot/keys/key-ring.ts'
import { type NamedKey, readNamedKeys } from '../snapshot/keys/named-key.ts'
import { listExpired } from '../snapshot/plan/expiry.ts'
import { type ResourceKey, readResourceKeys } from '../snapshot/resource-keys.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
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
}

/** What tables, file, keys and time come to, compiled anew whenever one of them changes. */
export type LiveSnapshot = {
  current(): Snapshot
  readonly state: DesiredState
  readonly quota: QuotaState
  capacityRules(): CapacityRules
  namedKeys(): readonly NamedKey[]
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
  const state = await openDesiredState(tables)
  const quota = await openQuotaState(tables.quota, Date.now)
  let resourceKeys: readonly ResourceKey[] = await readResourceKeys(tables, sealer)
  const stored = await readNamedKeys(tables.namedKeys)
  for (const warning of stored.warnings) log.warn({}, warning)
  let namedKeys = stored.keys
  let rules: Pick<CapacityRules, 'catalog' | 'placement'> = { catalog: createCatalog(builtins.models), placement: {} }

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
    now: Date.now,
  })
  let snapshot: Snapshot = { keys: buildKeyRing(resourceKeys, namedKeys), deployments: new Map() }
  let changeTimer: NodeJS.Timeout | undefined

  function refresh(): void {
    clearTimeout(changeTimer)
    snapshot = compiler.compile(state.list(), buildKeyRing(resourceKeys, namedKeys))
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
    const options = { builtinModels: builtins.models, readSecret, now: Date.now }
    configWatch = await watchConfig(parts.config, options, {
      onChange(config) {
        rules = config.rules
        quota.declare(config.file, config.rules.pools)
        state.declare(config)
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
  isOpen = true
  refresh()
  passTime()
  state.subscribe(refresh)
  quota.subscribe(refresh)

  return {
    current: () => snapshot,
    state,
    quota,
    capacityRules: () => ({ ...rules, pools: quota.list(), now: Date.now() }),
    namedKeys: () => namedKeys,
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
    },
  }
}
