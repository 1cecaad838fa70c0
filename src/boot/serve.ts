import { readFileSync } from 'node:fs'
import type { EngineDeps } from '../backend/guards/create-engine.ts'
import { createTransport } from '../backend/transport/create-transport.ts'
import type { ProxySettings } from '../backend/transport/dial/proxy.ts'
import type { Timeouts } from '../backend/transport/transport.ts'
import type { UpOptions } from '../cli/server/up.ts'
import type { Status } from '../control/api.ts'
import { createControl } from '../control/create-control.ts'
import type { Deployment } from '../core/deployment.ts'
import { Fault } from '../core/fault.ts'
import { faultCodes } from '../core/fault-codes.ts'
import { createSealer } from '../core/seal.ts'
import type { Builtins } from '../engine/builtins.ts'
import { createGateway } from '../gateway/handle.ts'
import { respondHealth } from '../gateway/health.ts'
import { createRoutes } from '../gateway/routes.ts'
import type { Handle } from '../gateway/server.ts'
import { hashKey } from '../policy/authenticate.ts'
import { createCheckDeployment } from '../policy/check-deployment.ts'
import { judgeText } from '../policy/filter/judge-text.ts'
import { createLimiter } from '../policy/limit/limiter.ts'
import { type Meter, openMeter } from '../policy/meter/meter.ts'
import { createPipeline } from '../policy/pipeline.ts'
import { createSpillOver } from '../policy/spill-over.ts'
import type { Counters } from '../port/counters/port.ts'
import { createHealth } from '../route/health.ts'
import { createRouter } from '../route/router.ts'
import { openStoredCompletions, type StoredCompletions } from '../service/stored-completions/open.ts'
import type { DesiredState } from '../snapshot/desired-state.ts'
import { readResourceKeys } from '../snapshot/resource-keys.ts'
import { findDeployment, type Snapshot } from '../snapshot/snapshot.ts'
import type { Logger } from '../telemetry/logger.ts'
import { serverEnds } from '../wire/index.ts'
import { type BannerInfo, renderBanner, renderJson, renderQuiet } from './banner.ts'
import { guessShell } from './client-environment.ts'
import { createAskDeployment } from './filters/ask-deployment.ts'
import { openFilterParts, openFilterPolicy, openRemoteParts } from './filters/open-filters.ts'
import { listFilterServices } from './filters/open-services.ts'
import { probeEngine } from './filters/probe-engine.ts'
import { createDataFolder, type DataFolder, removeServerRecord, writeServerRecord } from './folder/data-folder.ts'
import { lockDataFolder } from './folder/folder-lock.ts'
import { type LiveSnapshot, openLiveSnapshot } from './live-snapshot.ts'
import { type Listeners, openListeners } from './open-listeners.ts'
import { openResource } from './open-resource.ts'
import { makeResourceKey, openManagementCredential, openMasterKey } from './secrets.ts'
import { listServerNames } from './server-names.ts'
import { openBlobs } from './stores/open-blobs.ts'
import { openCounters, steadyNow } from './stores/open-counters.ts'
import { openTables } from './stores/open-tables.ts'
import { waitForStop } from './wait-for-stop.ts'
import { createLiveLoad } from './work/live-load.ts'
import { openWork, type Work } from './work/open-work.ts'

export type ServeParts = {
  readonly options: UpOptions
  readonly version: string
  readonly builtins: Builtins
  readonly log: Logger
  /** How the command line is called here, for texts to paste. */
  readonly command: string
  readonly shellPath: string | undefined
  readonly proxy: ProxySettings
  /** The value of a PONTO_SECRET_ variable. */
  readSecret(name: string): string | undefined
}

const maxBodyBytes = 64 * 1024 * 1024
const maxConnections = 1024
const maxIdleMs = 60_000
const drainMs = 10_000
const dayMs = 24 * 60 * 60 * 1000

/** The whole server, composed: runs until it is told to stop. Rejects with a Fault when it cannot start, having left nothing behind. */
export async function serve(parts: ServeParts): Promise<void> {
  const { options } = parts
  const { folder } = options
  createDataFolder(folder)
  const lock = lockDataFolder(folder)
  try {
    await serveFolder(parts, folder)
  } finally {
    removeServerRecord(folder)
    lock.release()
  }
}

async function serveFolder(parts: ServeParts, folder: DataFolder): Promise<void> {
  const { options, builtins, log, readSecret } = parts
  const names = listServerNames({ host: options.host, resourceName: options.name, extra: options.san })
  const sealer = createSealer(openMasterKey(folder, options.secretKeyFile))
  const managementCredential = openManagementCredential(folder)
  const ca = options.caFile === undefined ? undefined : readCaFile(options.caFile)
  const url = readSecret('PONTO_SECRET_POSTGRES_URL')
  const { tables, isFirstStart } = await openTables({ url, file: folder.database, ca })
  const startedAt = new Date().toISOString()
  let live: LiveSnapshot | undefined
  let listeners: Listeners | undefined
  let storedCompletions: StoredCompletions | undefined
  let meter: Meter | undefined
  let counters: Counters | undefined
  let work: Work | undefined
  try {
    const resource = await tables.exclusively(() => openResource(tables, sealer, builtins.models[0], options.name))
    const openTransport = (origin: URL, timeouts: Timeouts) =>
      createTransport({ origin, timeouts, ca, proxy: parts.proxy, maxConnections, maxIdleMs })
    let ask: EngineDeps['askDeployment'] | undefined
    // Engines are asked by calls, and those come when everything is there.
    const askLater: EngineDeps['askDeployment'] = (...question) => (ask as NonNullable<typeof ask>)(...question)
    const filterParts = openFilterParts({ openTransport, askDeployment: askLater }, sealer, readSecret)
    live = await openLiveSnapshot({
      tables,
      sealer,
      builtins,
      config: options.config,
      log,
      readSecret,
      openTransport,
      filters: filterParts,
      defaultPolicy: options.raiPolicy,
    })
    const { current, state, quota, filters, capacityRules, namedKeys, configError } = live
    const find = (name: string) => findDeployment(current(), name)

    storedCompletions = openStoredCompletions({
      table: tables.storedCompletions,
      keepMs: options.storedCompletionDays * dayMs,
      now: Date.now,
      log,
    })
    meter = await openMeter({
      table: tables.usage,
      now: Date.now,
      onProblem: (error) => log.error({}, `usage: ${error instanceof Error ? error.message : String(error)}`),
    })
    counters = await openCounters({
      url: readSecret('PONTO_SECRET_REDIS_URL'),
      replicas: options.replicas,
      dataFolder: folder.path,
      isFirstStart,
      log,
    })
    const router = createRouter(createHealth(performance.now.bind(performance)), Math.random)
    const limits = [createCheckDeployment(Date.now), meter.policy, createLimiter({ counters, now: steadyNow })]
    ask = createAskDeployment({ find, pipeline: createPipeline(limits, router, [meter.listener]), now: Date.now })
    const remote = openRemoteParts(log)
    const compiledFilters = () => current().filters
    const filterServices = listFilterServices({
      filters: compiledFilters,
      state: filters,
      remote,
      policy: options.raiPolicy,
    })
    const judged = [createSpillOver(find), ...limits, openFilterPolicy(compiledFilters, remote, log)]
    const load = createLiveLoad(performance.now.bind(performance))
    const blobs = await openBlobs({ store: options.blobs, folder: folder.blobs, readSecret })
    work = openWork({
      tables,
      blobs,
      pipeline: createPipeline(judged, router, [meter.listener]),
      load,
      keys: () => current().keys,
      find,
      settings: { behaviour: options.batchBehaviour },
      webhooks: { list: live.listWebhooks, readSecret, openTransport },
      log,
    })
    const gateway = createGateway({
      snapshot: current,
      matchRoute: createRoutes(serverEnds, [...storedCompletions.routes, ...filterServices, ...work.routes]),
      pipeline: createPipeline([load.policy, storedCompletions.policy, ...judged], router, [
        load.listener,
        meter.listener,
      ]),
      maxBodyBytes,
      log,
    })
    const readStatus = (): Omit<Status, 'deployments' | 'warnings'> => ({
      name: resource.name,
      version: parts.version,
      pid: process.pid,
      startedAt,
      endpoints: listeners ? [listeners.httpsUrl, ...(listeners.httpUrl ? [listeners.httpUrl] : [])] : [],
      dataFolder: folder.path,
      ...(options.config !== undefined && {
        configFile: { path: options.config, ...(configError() !== undefined && { error: configError() as string }) },
      }),
      engine: describeEngine(builtins),
    })
    const control = createControl({
      managementCredential,
      isResourceKey: (key) => current().keys.has(hashKey(key)),
      hostNames: names,
      state,
      quota,
      filters,
      judgeText: (plan, text, signal) => judgeText(plan, text, remote, signal),
      findPlan: (name) => current().filters.find(name),
      defaultPolicy: options.raiPolicy,
      probeEngine: (engine) => probeEngine(engine, filterParts, performance.now.bind(performance)),
      sealer,
      builtinModels: builtins.models,
      capacityRules,
      findCompiled: find,
      readSecret,
      probeDeployment: (name) => probeDeployment(find(name)),
      tables,
      makeKey: makeResourceKey,
      onKeysChanged: live.setResourceKeys,
      listNamedKeys: namedKeys,
      onNamedKeysChanged: live.setNamedKeys,
      usage: { table: tables.usage, meter, namedKeys },
      now: Date.now,
      readStatus,
      listOwnWarnings: () => {
        const reason = counters?.degradedReason()
        const degraded = reason === undefined ? [] : [`Limits are counted without the shared store: ${reason}`]
        return [...degraded, ...(live?.listFilterWarnings() ?? [])]
      },
      onFault: (fault, requestId) => log[faultCodes[fault.code].log]({ requestId, code: fault.code }, fault.message),
    })
    const handle: Handle = (request, url, setTurn) => {
      const path = url.pathname
      if (path.startsWith('/management')) return control(request)
      if (path.startsWith('/health/')) return Promise.resolve(respondHealth(path, () => whyNotReady(state, builtins)))
      return gateway(request, url, setTurn)
    }

    listeners = await openListeners(options, names, folder, log, handle)
    writeServerRecord(folder, {
      pid: process.pid,
      startedAt,
      version: parts.version,
      httpsUrl: listeners.httpsUrl,
      httpUrl: listeners.httpUrl,
      trust: listeners.isLocalCertificate
        ? { kind: 'authority', file: folder.caFile }
        : { kind: 'pinned', file: options.tlsCert as string },
    })
    const [firstKey] = await readResourceKeys(tables, sealer)
    announce(parts, listeners, {
      name: resource.name,
      key: firstKey?.value ?? '',
      deployment: firstChat(current()),
      notices: [...listeners.notices, ...state.listWarnings(), ...live.listFilterWarnings()],
    })
    if (!usesBuiltin(state)) await builtins.stop()
    work.start()

    await waitForStop()
    log.info({}, 'stopping: answers in progress are finished')
    work.endStreams()
    await listeners.stop(drainMs)
    listeners = undefined
  } finally {
    await listeners?.stop(0)
    await work?.close()
    live?.close()
    await storedCompletions?.close()
    await meter?.close()
    await counters?.close()
    await tables.close()
  }
}

function announce(
  parts: ServeParts,
  listeners: Listeners,
  facts: Pick<BannerInfo, 'name' | 'key' | 'deployment' | 'notices'>,
): void {
  const { options } = parts
  const info: BannerInfo = {
    ...facts,
    version: parts.version,
    httpsUrl: listeners.httpsUrl,
    httpUrl: listeners.httpUrl,
    folder: options.folder,
    isLocalCertificate: listeners.isLocalCertificate,
    command: parts.command,
  }
  const style = { isColored: options.isColored, shell: guessShell(parts.shellPath, process.platform) }
  const text = options.json ? renderJson(info) : options.quiet ? renderQuiet(info) : renderBanner(info, style)
  process.stdout.write(text)
}

function readCaFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Fault('invalid-request', `--ca-file ${path} cannot be read: ${(error as Error).message}`)
  }
}

/** Deployments of the SKU for trying things out end by themselves, and give back what they had of their quota. */
function usesBuiltin(state: DesiredState): boolean {
  return state.list().some(({ spec }) => spec.backends === undefined)
}

function whyNotReady(state: DesiredState, builtins: Builtins): string | undefined {
  for (const { spec } of state.list()) {
    if (spec.backends) continue
    const engine = builtins.find(spec.model.name)?.current()?.state()
    if (engine && engine.state !== 'ready') return `the built-in model ${spec.model.name} is ${engine.state}`
  }
  return undefined
}

function describeEngine(builtins: Builtins): Status['engine'] {
  const [model] = builtins.models
  const state = model && builtins.find(model.name)?.current()?.state()
  return state ? { state: state.state, detail: state.detail } : { state: 'stopped', detail: 'no deployment uses it' }
}

function firstChat(snapshot: Snapshot): string {
  for (const { name, kinds } of snapshot.deployments.values()) if (kinds.has('chat')) return name
  return 'NAME'
}

async function probeDeployment(deployment: Deployment | undefined) {
  const signal = AbortSignal.timeout(10_000)
  return Promise.all(
    (deployment?.routes ?? []).map(async ({ backend }) => ({ backend: backend.id, ...(await backend.probe(signal)) })),
  )
}
