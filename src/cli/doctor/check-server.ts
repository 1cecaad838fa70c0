import { type DataFolder, readServerRecord, type ServerRecord } from '../../boot/folder/data-folder.ts'
import { findLockHolder } from '../../boot/folder/folder-lock.ts'
import type { DeploymentView, ProbeView, Status } from '../../control/api.ts'
import { toFault } from '../../core/fault.ts'
import type { Check } from '../context.ts'
import { type ManagementClient, openManagementClient } from '../management-client.ts'

export type AskedServer = {
  readonly record?: ServerRecord | undefined
  readonly client?: ManagementClient | undefined
  readonly status?: Status | undefined
  /** Why there is no status although a server should run. */
  readonly problem?: string | undefined
}

/** Finds the running server and asks for its status; never throws. */
export async function askServer(folder: DataFolder): Promise<AskedServer> {
  let record: ServerRecord | undefined
  try {
    record = readServerRecord(folder)
    if (!record) return {}
    const client = openManagementClient({ folder: () => folder })
    return { record, client, status: await client.call<Status>('status') }
  } catch (error) {
    return { record, problem: toFault(error).message }
  }
}

export function checkServer(folder: DataFolder, server: AskedServer): Check[] {
  const name = 'server'
  const { status } = server
  if (status) {
    const running: Check = { name, level: 'ok', detail: `process ${status.pid} on ${status.endpoints.join(' and ')}` }
    const warnings = status.warnings.map((detail): Check => ({ name, level: 'warn', detail }))
    return [running, ...warnings, ...checkConfiguration(status.configFile)]
  }
  const holder = findLockHolder(folder)
  if (holder === undefined) return [{ name, level: 'warn', detail: 'does not run', fix: 'npm start' }]
  const detail = `process ${holder} holds the data folder but does not answer${server.problem ? `: ${server.problem}` : ''}`
  return [{ name, level: 'fail', detail, fix: `Look at what it printed, or stop it: kill ${holder}` }]
}

function checkConfiguration(file: Status['configFile']): Check[] {
  if (!file) return []
  const name = 'configuration'
  if (!file.error) return [{ name, level: 'ok', detail: file.path }]
  const fix = `Correct ${file.path}; it is read again as soon as it changes`
  return [{ name, level: 'fail', detail: `the last change was refused: ${file.error}`, fix }]
}

export function checkEngine(status: Status): Check {
  const { state, detail } = status.engine
  const isBroken = /fail|broken|error|unavailable|dead|down/i.test(state)
  const text = [state, detail].filter(Boolean).join(': ')
  if (!isBroken) return { name: 'engine', level: 'ok', detail: text }
  return {
    name: 'engine',
    level: 'fail',
    detail: text,
    fix: 'It is started again by itself; if that goes on, npm ci --ignore-scripts',
  }
}

/** Each upstream of each deployment, as the server reaches it. */
export async function checkUpstreams(client: ManagementClient): Promise<Check[]> {
  const { value } = await client.call<{ value: DeploymentView[] }>('deployments')
  const withBackends = value.filter((deployment) => deployment.backends)
  const checks = await Promise.all(withBackends.map((deployment) => probe(client, deployment.name)))
  return checks.flat()
}

async function probe(client: ManagementClient, deployment: string): Promise<Check[]> {
  const name = `upstream of ${deployment}`
  try {
    const { value } = await client.call<{ value: ProbeView[] }>(`deployments/${encodeURIComponent(deployment)}/probe`)
    return value.map(({ backend, ok, detail }) => {
      if (ok) return { name, level: 'ok', detail: `${backend}: ${detail}` }
      const fix = `ponto deployment update ${deployment} --backend URL ... when the address or credential is wrong`
      return { name, level: 'fail', detail: `${backend}: ${detail}`, fix }
    })
  } catch (error) {
    return [{ name, level: 'fail', detail: toFault(error).message }]
  }
}
