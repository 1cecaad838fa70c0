import { createTransport } from '../../src/backend/transport/create-transport.ts'
import type { Caller, EndListener } from '../../src/core/exchange.ts'
import type { Backend } from '../../src/core/reply.ts'
import type { ServiceRoute } from '../../src/core/service-route.ts'
import { createGateway } from '../../src/gateway/handle.ts'
import { createRoutes } from '../../src/gateway/routes.ts'
import { type Listener, listen } from '../../src/gateway/server.ts'
import { hashKey, type KeyRing } from '../../src/policy/authenticate.ts'
import { createPipeline, type Policy } from '../../src/policy/pipeline.ts'
import { createHealth } from '../../src/route/health.ts'
import { createRouter } from '../../src/route/router.ts'
import { createCatalog } from '../../src/snapshot/catalog/create-catalog.ts'
import { type Compiler, createCompiler } from '../../src/snapshot/compile.ts'
import { type DeploymentInput, deploymentSpecSchema } from '../../src/snapshot/deployment-spec.ts'
import { emptySnapshot, type Snapshot } from '../../src/snapshot/snapshot.ts'
import type { Logger } from '../../src/telemetry/logger.ts'
import { serverEnds } from '../../src/wire/index.ts'

export const testKey = 'test-key-0123456789'

export type LogLine = { readonly level: string; readonly fields: object; readonly message: string }

export type Harness = {
  readonly url: string
  readonly logs: LogLine[]
  deploy(...inputs: DeploymentInput[]): void
  /** Takes these keys from now on, and the harness's own. */
  useKeys(ring: KeyRing): void
  post(path: string, body: unknown, headers?: Record<string, string>, signal?: AbortSignal): Promise<Response>
  get(path: string, headers?: Record<string, string>): Promise<Response>
  stop(): Promise<void>
}

export type HarnessOptions = {
  readonly builtin?: Backend
  readonly maxBodyBytes?: number
  readonly maxFormBytes?: number
  readonly secrets?: Record<string, string>
  readonly idleLimitS?: number
  readonly policies?: readonly Policy[]
  readonly services?: readonly ServiceRoute[]
  /** Further callers by their key. */
  readonly callers?: Readonly<Record<string, Caller>>
  readonly listeners?: readonly EndListener[]
}

/** The data plane as main composes it, on loopback over plain HTTP, with one key and whatever is deployed. */
export async function startHarness(options: HarnessOptions = {}): Promise<Harness> {
  const logs: LogLine[] = []
  const note = (level: string) => (fields: object, message: string) => void logs.push({ level, fields, message })
  const log: Logger = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') }
  const catalog = createCatalog([])
  const compiler: Compiler = createCompiler({
    findBuiltin: () => options.builtin,
    openTransport: (origin, timeouts) => createTransport({ origin, timeouts, maxConnections: 512, maxIdleMs: 30_000 }),
    readCredential: (_deployment, { credential }) =>
      credential && 'env' in credential ? options.secrets?.[credential.env] : undefined,
    catalog: () => catalog,
    poolOf: () => undefined,
    now: Date.now,
  })
  const own: Caller = { keyName: 'key1', grant: undefined, expiresAt: undefined }
  const callers = Object.entries({ [testKey]: own, ...options.callers })
  const ownKeys: KeyRing = new Map(callers.map(([key, caller]) => [hashKey(key), caller]))
  let keys = ownKeys
  let snapshot: Snapshot = { ...emptySnapshot, keys }
  const newRouter = () =>
    createRouter(
      createHealth(() => performance.now()),
      Math.random,
    )
  let route = newRouter()
  const gateway = createGateway({
    snapshot: () => snapshot,
    matchRoute: createRoutes(serverEnds, options.services),
    pipeline: createPipeline(options.policies ?? [], (exchange) => route(exchange), options.listeners ?? []),
    maxBodyBytes: options.maxBodyBytes ?? 1024 * 1024,
    maxFormBytes: options.maxFormBytes,
    log,
  })
  const listener: Listener = await listen({
    host: '127.0.0.1',
    port: 0,
    handle: gateway,
    idleLimitS: options.idleLimitS,
  })
  const auth = { 'api-key': testKey }
  return {
    url: listener.url,
    logs,
    deploy(...inputs) {
      const desired = inputs.map((input) => ({ spec: deploymentSpecSchema.parse(input), createdAt: 1_700_000_000_000 }))
      snapshot = compiler.compile(desired, keys)
      // Every scenario begins with healthy backends.
      route = newRouter()
    },
    useKeys(ring) {
      keys = new Map([...ring, ...ownKeys])
      snapshot = { ...snapshot, keys }
    },
    post: (path, body, headers = auth, signal) =>
      fetch(listener.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
        signal: signal ?? null,
      }),
    get: (path, headers = auth) => fetch(listener.url + path, { headers }),
    async stop() {
      await listener.stop(0)
      compiler.close()
    },
  }
}

/** The `data:` payloads of an event stream, the terminator included. */
export async function readPayloads(response: Response): Promise<string[]> {
  const text = await response.text()
  return text
    .split('\n\n')
    .filter((block) => block !== '')
    .map((block) => {
      if (!block.startsWith('data: ') || block.includes('\n'))
        throw new Error(`not a strict event: ${JSON.stringify(block)}`)
      return block.slice(6)
    })
}
