import { readFileSync } from 'node:fs'
import { createTransport } from '../backend/transport/create-transport.ts'
import type { ProxySettings } from '../backend/transport/dial/proxy.ts'
import { shareTransports } from '../backend/transport/share-transports.ts'
import type { Timeouts } from '../backend/transport/transport.ts'
import type { UpOptions } from '../cli/server/up.ts'
import type { Status } from '../control/api.ts'
import { createSealer } from '../core/access/seal.ts'
import { Fault } from '../core/fault.ts'
import type { ResourceId } from '../core/resource.ts'
import type { RecordListener } from '../core/usage/request-record.ts'
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
import { capture } from '../policy/request-log/capture.ts'
import { createSpillOver } from '../policy/spill-over.ts'
import type { Counters } from '../port/counters/port.ts'
import { createHealth } from '../route/health.ts'
import { createRouter } from '../route/router.ts'
import { openStoredCompletions, type StoredCompletions } from '../service/stored-completions/open.ts'
import { noFilters } from '../snapshot/filter/filters.ts'
import { emptySnapshot, findDeployment, type Snapshot } from '../snapshot/snapshot.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { OtlpEnvironment } from '../telemetry/otlp/settings.ts'
import { serverEnds } from '../wire/index.ts'
import { type BannerInfo, renderBanner, renderJson, renderQuiet } from './banner.ts'
import { guessShell } from './client-environment.ts'
import { createAskDeployment } from './filters/ask-deployment.ts'
import { type FilterDeps, openFilterParts, openFilterPolicy, openRemoteParts } from './filters/open-filters.ts'
import { listFilterServices } from './filters/open-services.ts'
import { createDataFolder, type DataFolder, removeServerRecord, writeServerRecord } from './folder/data-folder.ts'
import { lockDataFolder } from './folder/folder-lock.ts'
import { nodeIdOf } from './folder/node-id.ts'
import { openManagement } from './management/open-management.ts'
import { type Listeners, openListeners } from './open-listeners.ts'
import { createAccounts } from './resources/accounts.ts'
import { createDescribeRoutes } from './resources/describe-routes.ts'
import type { LiveResource } from './resources/live-resource.ts'
import { type LiveResources, openLiveResources } from './resources/live-resources.ts'
import { openResource } from './resources/open-resource.ts'
import { routeByResource } from './resources/route-by-resource.ts'
import { makeResourceKey, openManagementCredential, openMasterKey, openMetricsCredential } from './secrets.ts'
import { listServerNames } from './server-names.ts'
import { followChanges } from './stores/follow-changes.ts'
import { openBlobs, reasonOf, tryBlobs } from './stores/open-blobs.ts'
import { openCounters, steadyNow } from './stores/open-counters.ts'
import { type Identity, openIdentity } from './stores/open-identity.ts'
import { openTables } from './stores/open-tables.ts'
import { type OpenedRequestLog, openRequestLog } from './telemetry/open-request-log.ts'
import { openTelemetry, type Telemetry } from './telemetry/open-telemetry.ts'
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
  /** The OTEL_ variables. */
  readonly otel: OtlpEnvironment
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
  const listNames = (): readonly string[] => [...new Set([...names, ...(resources?.listHosts() ?? [])])]
  const sealer = createSealer(openMasterKey(folder, options.secretKeyFile))
  const managementCredential = openManagementCredential(folder)
  const ca = options.caFile === undefined ? undefined : readCaFile(options.caFile)
  const url = readSecret('PONTO_SECRET_POSTGRES_URL')
  const { tables, isFirstStart, isShared } = await openTables({
    url,
    file: folder.database,
    ca,
    waitMs: options.databaseWait * 1000,
    log,
  })
  const startedAt = new Date().toISOString()
  let resources: LiveResources | undefined
  let listeners: Listeners | undefined
  let storedCompletions: StoredCompletions | undefined
  let meter: Meter | undefined
  let counters: Counters | undefined
  let work: Work | undefined
  let telemetry: Telemetry | undefined
  let requestLog: OpenedRequestLog | undefined
  let unfollow: (() => void) | undefined
  let identity: Identity | undefined
  try {
    const resource = await tables.exclusively(() => openResource(tables, sealer, builtins.models[0], options.name))
    const openTransport = (origin: URL, timeouts: Timeouts) =>
      createTransport({ origin, timeouts, ca, proxy: parts.proxy, maxConnections, maxIdleMs })
    let ask: FilterDeps['askDeployment'] | undefined
    // Engines are asked by calls, and those come when everything is there.
    const askLater: FilterDeps['askDeployment'] = (...question) => (ask as NonNullable<typeof ask>)(...question)
    const filterParts = openFilterParts({ openTransport, askDeployment: askLater }, sealer, readSecret)
    resources = await openLiveResources({
      tables,
      sealer,
      builtins,
      config: options.config,
      log,
      readSecret,
      openTransport: shareTransports(openTransport),
      filterParts,
      defaultPolicy: options.raiPolicy,
      onHosts() {
        listeners?.refreshNames()
        identity?.declare(resources?.identity())
      },
    })
    unfollow = followChanges({ tables, reload: resources.reload, log })
    const { own, configError } = resources
    const live = resources
    identity = await openIdentity({
      tables,
      sealer,
      listNames,
      findResource: (name) => live.find(name)?.id,
      openTransport,
      log,
      now: Date.now,
    })
    identity.declare(live.identity())
    const { tokens, state: identities, addressReader } = identity
    const snapshotOf = (id: ResourceId | undefined) => live.get(id)?.current()
    const find = (name: string, id: ResourceId | undefined) => findDeployment(snapshotOf(id) ?? emptySnapshot, name)
    const isResourceKey = (key: string) => live.list().some(({ current }) => current().keys.has(hashKey(key)))

    telemetry = await openTelemetry({
      version: parts.version,
      instance: nodeIdOf(folder.path),
      credentials: [openMetricsCredential(folder, readSecret('PONTO_SECRET_METRICS_TOKEN')), managementCredential],
      isResourceKey,
      nameResource: (id) => live.get(id)?.record().spec.name ?? '',
      otel: parts.otel,
      log,
    })
    const { observer, serveMetrics } = telemetry
    requestLog = openRequestLog({
      place:
        url === undefined
          ? { kind: 'sqlite', file: folder.requests }
          : { kind: 'postgres', url, ca, node: nodeIdOf(folder.path) },
      days: options.requestLogDays,
      maxBytes: options.requestLogMb * 1_000_000,
      log,
    })
    const requests = requestLog
    const onRefused: RecordListener = (record) => {
      observer.onRefused(record)
      requests.onRefused(record)
    }
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
    const health = createHealth(performance.now.bind(performance))
    const router = createRouter(health, Math.random)
    const limits = [createCheckDeployment(Date.now), meter.policy, createLimiter({ counters, now: steadyNow })]
    const ended = [meter.listener, observer.listener, requests.listener]
    const watched = [observer.policy, requests.policy]
    ask = createAskDeployment({
      find,
      pipeline: createPipeline([...watched, ...limits], router, ended),
      now: Date.now,
    })
    const remote = openRemoteParts(log)
    const compiledFilters = (id: ResourceId | undefined) => snapshotOf(id)?.filters ?? noFilters
    const filterServices = routeByResource(resources, (resource) =>
      listFilterServices(resource, remote, options.raiPolicy),
    )
    const filter = openFilterPolicy(compiledFilters, remote, log)
    const judged = [createSpillOver(find), capture, ...limits, filter]
    const load = createLiveLoad(performance.now.bind(performance))
    const blobs = await openBlobs({ store: options.blobs, folder: folder.blobs, readSecret })
    tryBlobs(blobs).catch((error) => log.warn({ reason: reasonOf(error) }, 'files and batches wait for their store'))
    work = openWork({
      tables,
      isShared,
      dataFolder: folder.path,
      blobs,
      pipeline: createPipeline([...watched, ...judged], router, ended),
      onRefused,
      native: { before: [...limits, filter], after: [filter], listeners: ended },
      load,
      snapshotOf,
      recallCaller(owner, id) {
        const claims = identities.findSeen(owner)
        return claims && tokens.recall(claims, id)
      },
      settings: { behaviour: options.batchBehaviour },
      webhooks: { list: resources.listWebhooks, readSecret, openTransport },
      usage: { hourlyDays: options.usageHourlyDays, days: options.usageDays },
      log,
    })
    const gateway = createGateway({
      snapshot: resources.pick,
      matchRoute: createRoutes(serverEnds, [...storedCompletions.routes, ...filterServices, ...work.routes]),
      pipeline: createPipeline([...watched, load.policy, storedCompletions.policy, ...judged], router, [
        load.listener,
        ...ended,
      ]),
      onRefused,
      tokens,
      maxBodyBytes,
      log,
    })
    telemetry.connect(
      {
        listDeployments: () =>
          live.list().flatMap(({ current, record }) => {
            const resource = record().spec.name
            return [...current().deployments.values()].map((deployment) => ({ resource, deployment }))
          }),
        counters,
        health,
        tables,
        builtins,
        countUnstored: () => meter?.pending().length ?? 0,
        configError,
      },
      [requests.families],
    )
    const readStatus = (resource: LiveResource): Omit<Status, 'deployments' | 'warnings'> => ({
      name: resource.record().spec.name,
      version: parts.version,
      pid: process.pid,
      startedAt,
      endpoints: listEndpoints(listeners, resource),
      dataFolder: folder.path,
      ...(options.config !== undefined && {
        configFile: { path: options.config, ...(configError() !== undefined && { error: configError() as string }) },
      }),
      engine: describeEngine(builtins),
      requestLog: requests.state(),
    })
    const accounts = createAccounts({
      resources,
      tables,
      sealer,
      now: Date.now,
      describeRoutes: createDescribeRoutes({
        shared: {
          quota: live.quota,
          deploymentPolicies: live.policies,
          policyRules: () => ({ policies: live.policies.list(), defaultRaiPolicy: options.raiPolicy }),
          sealer,
          builtinModels: builtins.models,
          defaultPolicy: options.raiPolicy,
          readSecret,
          judgeText: (plan, text, signal) => judgeText(plan, text, remote, signal),
          makeKey: makeResourceKey,
          webhooks: { list: live.listWebhooks, readSecret, test: work.testWebhook },
          audit: tables.audit,
          requests: requests.parts,
          now: Date.now,
        },
        usage: { table: tables.usage, meter, hourlyDays: options.usageHourlyDays },
        readStatus,
        listServerWarnings() {
          const reason = counters?.degradedReason()
          const degraded = reason === undefined ? [] : [`Limits are counted without the shared store: ${reason}`]
          return [...degraded, ...requests.listWarnings(), ...live.listWarnings()]
        },
      }),
    })
    const management = openManagement({
      accounts,
      managementCredential,
      isResourceKey,
      groups: tables.groups,
      identity,
      identityTable: tables.identity,
      listResources: () => live.list().map((one) => ({ id: one.id, name: one.record().spec.name })),
      audit: tables.audit,
      listNames,
      version: parts.version,
      folder,
      isLocalCertificate: () => listeners?.isLocalCertificate ?? false,
      gateway,
      findKey: () => own.keys()[0]?.value,
      log,
    })
    const handle: Handle = (request, url, setTurn, readPeer) => {
      const path = url.pathname
      const readForwarded = addressReader()
      const readAddress = readForwarded ? () => readForwarded(readPeer(), request.headers) : readPeer
      // Most requests are calls, and should not be asked whether they are anything else.
      if (path.startsWith('/models/') || path.startsWith('/openai/')) return gateway(request, url, setTurn, readAddress)
      if (path.startsWith('/health/')) return Promise.resolve(respondHealth(path, () => whyNotReady(live, builtins)))
      if (path === '/metrics') return serveMetrics(request, url)
      const managed = management.handle(request, url, setTurn, readAddress)
      return managed ?? gateway(request, url, setTurn, readAddress)
    }

    listeners = await openListeners(options, listNames, folder, log, handle)
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
    const [firstKey] = own.keys()
    announce(parts, listeners, {
      name: resource.name,
      key: firstKey?.value ?? '',
      deployment: firstChat(own.current()),
      portalCode: management.issueLink(),
      notices: [...listeners.notices, ...live.listWarnings(), ...own.state.listWarnings(), ...own.listFilterWarnings()],
    })
    if (!usesBuiltin(live)) await builtins.stop()
    work.start()

    await waitForStop()
    log.info({}, 'stopping: answers in progress are finished')
    work.endStreams()
    requests.endStreams()
    await listeners.stop(drainMs)
    listeners = undefined
  } finally {
    await listeners?.stop(0)
    await work?.close()
    unfollow?.()
    identity?.close()
    resources?.close()
    await storedCompletions?.close()
    await telemetry?.close()
    await requestLog?.close()
    await meter?.close()
    await counters?.close()
    await tables.close()
  }
}

function announce(
  parts: ServeParts,
  listeners: Listeners,
  facts: Pick<BannerInfo, 'name' | 'key' | 'deployment' | 'portalCode' | 'notices'>,
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

function usesBuiltin(resources: LiveResources): boolean {
  return resources.list().some(({ state }) => state.list().some(({ spec }) => spec.backends === undefined))
}

function whyNotReady(resources: LiveResources, builtins: Builtins): string | undefined {
  for (const { spec } of resources.list().flatMap(({ state }) => state.list())) {
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

/** The addresses of the server, and under each the path of a resource that is not its own. */
function listEndpoints(listeners: Listeners | undefined, resource: LiveResource): string[] {
  const { spec, isDefault } = resource.record()
  const path = isDefault ? '' : `/resources/${encodeURIComponent(spec.name)}`
  return [listeners?.httpsUrl, listeners?.httpUrl].flatMap((url) => (url === undefined ? [] : `${url}${path}`))
}
