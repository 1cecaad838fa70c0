import { readFileSync } from 'node:fs'
import { createTransport } from '../backend/transport/create-transport.ts'
import type { ProxySettings } from '../backend/transport/dial/proxy.ts'
import type { UpOptions } from '../cli/up.ts'
import type { Status } from '../control/api.ts'
import { createControl } from '../control/create-control.ts'
import { Fault } from '../core/fault.ts'
import { faultCodes } from '../core/fault-codes.ts'
import { createSealer } from '../core/seal.ts'
import type { Builtins } from '../engine/builtins.ts'
import { createGateway } from '../gateway/handle.ts'
import { respondHealth } from '../gateway/health.ts'
import { createRoutes } from '../gateway/routes.ts'
import type { Handle } from '../gateway/server.ts'
import { hashKey, type KeyRing } from '../policy/authenticate.ts'
import { createPipeline } from '../policy/pipeline.ts'
import { openSqliteTables } from '../port/tables/sqlite.ts'
import { createHealth } from '../route/health.ts'
import { createRouter } from '../route/router.ts'
import { openStoredCompletions, type StoredCompletions } from '../service/stored-completions/open.ts'
import { createCompiler } from '../snapshot/compile.ts'
import { createCredentialReader } from '../snapshot/credential.ts'
import { type DesiredState, openDesiredState } from '../snapshot/desired-state.ts'
import { formatFailure } from '../snapshot/file/load-config.ts'
import { type ConfigWatch, watchConfig } from '../snapshot/file/watch-config.ts'
import { type ResourceKey, readResourceKeys } from '../snapshot/resource-keys.ts'
import { findDeployment, type Snapshot } from '../snapshot/snapshot.ts'
import type { Logger } from '../telemetry/logger.ts'
import { serverEnds } from '../wire/index.ts'
import { type BannerInfo, renderBanner, renderJson, renderQuiet } from './banner.ts'
import { guessShell } from './client-environment.ts'
import { createDataFolder, type DataFolder, removeServerRecord, writeServerRecord } from './data-folder.ts'
import { lockDataFolder } from './folder-lock.ts'
import { type Listeners, openListeners } from './open-listeners.ts'
import { openResource } from './open-resource.ts'
import { makeResourceKey, openManagementCredential, openMasterKey } from './secrets.ts'
import { listServerNames } from './server-names.ts'
import { waitForStop } from './wait-for-stop.ts'

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
  const compiler = createCompiler({
    findBuiltin: (name) => builtins.find(name)?.backend,
    openTransport: (origin, timeouts) =>
      createTransport({ origin, timeouts, ca, proxy: parts.proxy, maxConnections, maxIdleMs }),
    readCredential: createCredentialReader(sealer, readSecret),
  })
  const tables = await openSqliteTables(folder.database)
  const startedAt = new Date().toISOString()
  let configWatch: ConfigWatch | undefined
  let listeners: Listeners | undefined
  let storedCompletions: StoredCompletions | undefined
  try {
    const resource = await openResource(tables, sealer, builtins.models[0], options.name)
    const state = await openDesiredState(tables)
    let keys: KeyRing = ringOf(await readResourceKeys(tables, sealer))
    let snapshot: Snapshot = { keys, deployments: new Map() }
    const refresh = (): void => {
      snapshot = compiler.compile(state.list(), keys)
    }

    let configError: string | undefined
    if (options.config !== undefined) {
      configWatch = await watchConfig(
        options.config,
        { builtinModels: builtins.models, readSecret },
        {
          onChange(config) {
            state.declare(config)
            if (configError !== undefined || listeners)
              log.info({ file: config.file }, 'the configuration file is in force')
            configError = undefined
          },
          onError(failure) {
            configError = formatFailure(failure)
            // At the start it is what the start ends with.
            if (listeners) log.error({ file: failure.file }, `the configuration file is not used:\n${configError}`)
          },
        },
      )
      if (configError !== undefined) throw new Fault('invalid-request', configError)
    }
    refresh()
    state.subscribe(refresh)

    storedCompletions = openStoredCompletions({
      table: tables.storedCompletions,
      keepMs: options.storedCompletionDays * dayMs,
      now: Date.now,
      log,
    })
    const router = createRouter(createHealth(performance.now.bind(performance)), Math.random)
    const gateway = createGateway({
      snapshot: () => snapshot,
      matchRoute: createRoutes(serverEnds, storedCompletions.routes),
      pipeline: createPipeline([storedCompletions.policy], router, []),
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
        configFile: { path: options.config, ...(configError !== undefined && { error: configError }) },
      }),
      engine: describeEngine(builtins),
    })
    const control = createControl({
      managementCredential,
      isResourceKey: (key) => keys.has(hashKey(key)),
      hostNames: names,
      state,
      sealer,
      builtinModels: builtins.models.map(({ format, name, version, description }) => ({
        format,
        name,
        version,
        description,
      })),
      readSecret,
      probeDeployment: (name) => probeDeployment(snapshot, name),
      tables,
      makeKey: makeResourceKey,
      onKeysChanged(changed) {
        keys = ringOf(changed)
        refresh()
      },
      now: Date.now,
      readStatus,
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
      deployment: firstChat(snapshot),
      notices: [...listeners.notices, ...state.listWarnings()],
    })
    if (!usesBuiltin(state)) await builtins.stop()

    await waitForStop()
    log.info({}, 'stopping: answers in progress are finished')
    await listeners.stop(drainMs)
    listeners = undefined
  } finally {
    configWatch?.close()
    await listeners?.stop(0)
    compiler.close()
    await storedCompletions?.close()
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

function ringOf(keys: readonly ResourceKey[]): KeyRing {
  return new Map(
    keys.map(({ name, value }) => [hashKey(value), { keyName: name, grant: undefined, expiresAt: undefined }]),
  )
}

function readCaFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Fault('invalid-request', `--ca-file ${path} cannot be read: ${(error as Error).message}`)
  }
}

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

async function probeDeployment(snapshot: Snapshot, name: string) {
  const deployment = findDeployment(snapshot, name)
  const signal = AbortSignal.timeout(10_000)
  return Promise.all(
    (deployment?.routes ?? []).map(async ({ backend }) => ({ backend: backend.id, ...(await backend.probe(signal)) })),
  )
}
