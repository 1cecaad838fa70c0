import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeTempFolder, removeFolder, type ServerProcess, startServer } from '../../support/server-process.ts'
import { upstreamSecret } from '../upstream/draft.ts'
import { type FuzzUpstream, startFuzzUpstream } from '../upstream/server.ts'
import { plantedSecret } from './documents.ts'
import { baseDocuments, filterKinds } from './filter-documents.ts'

export type Reply = {
  readonly status: number
  readonly body: unknown
  readonly headers: Headers
  readonly text: string
}

/** A server of its own, whose whole management state is known. */
export type ManageTarget = {
  readonly upstream: FuzzUpstream
  readonly credential: string
  /** The resource's key1, which no case regenerates. */
  readonly resourceKey: string
  port(): number
  errors(): string
  isAlive(): boolean
  /** A request of the operator. */
  ask(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Reply>
  /** Deletes what cases have made and makes what they begin with; gives the secret of the key `base-key`. */
  reset(): Promise<string>
  /** Stops the server and starts it again with what it has stored. */
  restart(): Promise<void>
  stop(): Promise<void>
}

const operatorModels = [
  {
    format: 'Acme',
    name: 'acme-large',
    version: '2',
    lifecycle: { status: 'Legacy', retiresAt: '2031-01-31', replacement: { name: 'acme-large', version: '3' } },
    skus: [
      { name: 'GlobalStandard', tokensPerMinute: 1000, requestsPerMinute: 6 },
      { name: 'Standard', tokensPerMinute: 1000 },
      { name: 'DeveloperTier', tokensPerMinute: 1000 },
      { name: 'GlobalBatch', enqueuedTokens: 1000 },
      { name: 'ProvisionedManaged', capacity: { minimum: 5, step: 5 }, inputTokensPerMinute: 2500 },
    ],
  },
  {
    format: 'Acme',
    name: 'acme-large',
    version: '3',
    default: false,
    skus: [{ name: 'ProvisionedManaged', inputTokensPerMinute: 2500, outputWeight: 0.5 }],
  },
]

export async function startManageTarget(): Promise<ManageTarget> {
  const upstream = await startFuzzUpstream()
  const folder = makeTempFolder()
  const config = join(folder, 'ponto.yaml')
  const goodUrl = `http://127.0.0.1:${upstream.port}/good00/openai`
  const file = {
    models: operatorModels,
    quota: [{ format: 'Acme', model: 'acme-large', sku: 'GlobalStandard', limit: 20 }],
    placement: { regional: ['site-1'] },
    raiBlocklists: [{ name: 'in.file', terms: ['declared'] }],
    resources: [
      {
        name: 'file-team',
        location: 'x',
        deployments: [{ name: 'in', model: { name: 'm' }, backends: [{ url: goodUrl }] }],
      },
    ],
    deployments: [
      { name: 'in-file', model: { name: 'm' }, backends: [{ url: goodUrl, credential: { env: 'PONTO_SECRET_FUZZ' } }] },
    ],
  }
  writeFileSync(config, JSON.stringify(file))
  const dataFolder = join(folder, 'data')
  const start = (): Promise<ServerProcess> =>
    startServer({
      dataFolder,
      // So that refusals are there to be looked at.
      args: ['--config', config, '--log-level', 'info'],
      env: { PONTO_SECRET_FUZZ: upstreamSecret },
    })
  let server = await start()
  let before = ''
  const credential = readFileSync(join(dataFolder, 'management.key'), 'utf8').trim()

  const ask: ManageTarget['ask'] = async (method, path, body, headers) => {
    const response = await fetch(`${server.httpUrl}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${credential}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return {
      status: response.status,
      body: text === '' ? undefined : JSON.parse(text),
      headers: response.headers,
      text,
    }
  }

  async function expectStatus(method: string, path: string, body?: unknown): Promise<Reply> {
    const reply = await ask(method, path, body)
    if (reply.status >= 300) throw new Error(`${method} ${path} was to succeed: ${reply.status} ${reply.text}`)
    return reply
  }

  async function removeAll(path: string): Promise<void> {
    type Listed = { name: string; source?: { kind: string }; isDefault?: boolean }
    const { value } = (await expectStatus('GET', path)).body as { value: Listed[] }
    for (const { name, source, isDefault } of value) {
      if (source?.kind !== 'file' && source?.kind !== 'system' && !isDefault)
        await expectStatus('DELETE', `${path}/${encodeURIComponent(name)}`)
    }
  }

  return {
    upstream,
    credential,
    resourceKey: server.key,
    port: () => Number(new URL(server.httpUrl).port),
    errors: () => before + server.errors(),
    isAlive: () => isAlive(server.pid),
    ask,
    async reset() {
      // What refers to others goes first.
      const all = ['resources', 'deleted-resources', 'deployments', 'named-keys', 'quota', ...filterKinds]
      for (const path of all) await removeAll(`/management/${path}`)
      const url = `http://127.0.0.1:${upstream.port}/good00/openai`
      const backends = [{ url, credential: { value: plantedSecret }, labels: ['site-1'] }]
      const model = { format: 'Acme', name: 'acme-large', version: '2' }
      await expectStatus('PUT', '/management/quota/Standard.acme-large', { limit: 10 })
      const standard = { model, sku: { name: 'Standard', capacity: 2 }, backends }
      const provisioned = { model, sku: { name: 'ProvisionedManaged', capacity: 10 }, backends }
      await expectStatus('PUT', '/management/deployments/base-plain', standard)
      await expectStatus('PUT', '/management/deployments/base-bought', {
        ...provisioned,
        spilloverDeploymentName: 'base-plain',
      })
      for (const [kind, name, document] of baseDocuments) {
        await expectStatus('PUT', `/management/${kind}/${name}`, document)
      }
      await expectStatus('PUT', '/management/resources/gone-team', {})
      await expectStatus('PUT', '/management/resources/gone-team/deployments/base-inner', { model, backends })
      await expectStatus('DELETE', '/management/resources/gone-team')
      await expectStatus('PUT', '/management/resources/base-team', { tags: { a: 'b' } })
      await expectStatus('PUT', '/management/resources/base-team/deployments/base-inner', { model, backends })
      await expectStatus('PATCH', '/management/deployments/base-bought', { raiPolicyName: 'base-policy' })
      const key = await expectStatus('PUT', '/management/named-keys/base-key', { deployments: ['base-plain'] })
      return (key.body as { secret: string }).secret
    },
    async restart() {
      before += server.errors()
      await server.stop()
      server = await start()
    },
    async stop() {
      if (isAlive(server.pid)) await server.stop()
      await upstream.stop()
      removeFolder(folder)
    },
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
