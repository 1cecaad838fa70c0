import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Protocol, protocols } from '../../src/backend/presets.ts'
import { makeTempFolder, removeFolder, type ServerProcess, startServer } from '../support/server-process.ts'
import { filterSections, type PolicyKind, policyKinds, policyNameOf, suffixOf } from './filter/policies.ts'
import { upstreamSecret } from './upstream/draft.ts'
import { type FuzzUpstream, startFuzzUpstream } from './upstream/server.ts'

export type FuzzTarget = {
  readonly port: number
  readonly pid: number
  readonly upstream: FuzzUpstream
  /** A resource key that no case regenerates. */
  readonly key: string
  readonly managementCredential: string
  /** Everything the server wrote to standard error so far. */
  errors(): string
  isAlive(): boolean
  /** Resident memory in bytes; undefined where it cannot be told. */
  readRss(): number | undefined
  stop(): Promise<void>
}

/** Each lane has deployments of its own, so that what goes wrong is known to be its doing. Always two digits: a case must not change with its lane. */
const twoDigits = (lane: number): string => String(lane).padStart(2, '0')
/** Its upstream is well. */
export const goodDeployment = (lane: number, protocol: Protocol, policy: PolicyKind = 'relay'): string =>
  `good${twoDigits(lane)}-${protocol}${suffixOf[policy]}`
/** Its upstream answers as the lane has planned. */
export const plannedDeployment = (lane: number, protocol: Protocol, policy: PolicyKind): string =>
  `plan${twoDigits(lane)}-${protocol}${suffixOf[policy]}`

/** Short, so that a stalled answer ends soon. */
const plannedTimeouts = { connectMs: 2000, firstByteMs: 700, idleMs: 500, totalMs: 2000 }

/** `ponto up` as a process of its own on loopback, with deployments of every protocol at a scripted upstream, under every policy. */
export async function startTarget(lanes: number): Promise<FuzzTarget> {
  const upstream = await startFuzzUpstream()
  const folder = makeTempFolder()
  const config = join(folder, 'ponto.yaml')
  writeFileSync(config, JSON.stringify({ ...filterSections, deployments: listDeployments(upstream.port, lanes) }))
  let server: ServerProcess
  try {
    server = await startServer({
      dataFolder: join(folder, 'data'),
      args: ['--config', config],
      env: { PONTO_SECRET_FUZZ: upstreamSecret },
    })
  } catch (error) {
    await upstream.stop()
    removeFolder(folder)
    throw error
  }
  const managementCredential = readFileSync(join(server.dataFolder, 'management.key'), 'utf8').trim()
  const { pid } = server
  await removeBuiltin(server, managementCredential)
  return {
    port: Number(new URL(server.httpUrl).port),
    pid,
    upstream,
    key: server.key,
    managementCredential,
    errors: server.errors,
    isAlive: () => isAlive(pid),
    readRss: () => readRss(pid),
    async stop() {
      if (isAlive(pid)) await server.stop()
      await upstream.stop()
      removeFolder(folder)
    },
  }
}

/** From a file, so that no case can change them by the management API. */
function listDeployments(port: number, lanes: number): object[] {
  const declare = (name: string, protocol: Protocol, policy: PolicyKind, timeouts?: object) => ({
    name,
    raiPolicyName: policyNameOf[policy],
    model: { name: `model-${protocol}`, version: '2024-11-20' },
    backends: [
      {
        url: `http://127.0.0.1:${port}/${name.slice(0, 6)}/${protocol}`,
        protocol,
        ...(protocol === 'openai' && { chatApis: ['chat-completions', 'responses'] }),
        credential: { env: 'PONTO_SECRET_FUZZ' },
        ...(timeouts && { timeouts }),
      },
    ],
  })
  return protocols.flatMap((protocol) =>
    policyKinds.flatMap((policy) =>
      Array.from({ length: lanes }, (_, lane) => [
        declare(goodDeployment(lane, protocol, policy), protocol, policy),
        declare(plannedDeployment(lane, protocol, policy), protocol, policy, plannedTimeouts),
      ]).flat(),
    ),
  )
}

/** The model of its own that a new server deploys is another program's memory and time. */
async function removeBuiltin(server: ServerProcess, credential: string): Promise<void> {
  const headers = { authorization: `Bearer ${credential}` }
  const response = await fetch(`${server.httpUrl}/management/deployments`, { headers })
  const { value } = (await response.json()) as { value: { name: string; backends?: unknown }[] }
  for (const { name, backends } of value) {
    if (backends) continue
    await fetch(`${server.httpUrl}/management/deployments/${name}`, { method: 'DELETE', headers })
  }
}

function readRss(pid: number): number | undefined {
  try {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1])
    return pages * 4096
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
