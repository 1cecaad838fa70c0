import { createHash } from 'node:crypto'
import { deploymentKey } from '../core/deployment.ts'
import { Fault } from '../core/fault.ts'
import type { JsonObject } from '../core/json.ts'
import { formatProblem, parseDocument } from '../core/text/parse-document.ts'
import type { DeploymentRow, Tables } from '../port/tables/port.ts'
import { type DeploymentSpec, deploymentSpecSchema, guardCredentials } from './deployment-spec.ts'
import type { FileDeployment } from './file/contents.ts'
import type { Config } from './file/load-config.ts'
import { createQueue, type Queue } from './queue.ts'

export type DeploymentSource =
  | { readonly kind: 'stored' }
  | { readonly kind: 'file'; readonly file: string; readonly line: number }

/** A deployment as it should be. The same `spec` object stays as long as the deployment does not change. */
export type DesiredDeployment = {
  /** Credentials are sealed or name a variable. */
  readonly spec: DeploymentSpec
  readonly source: DeploymentSource
  readonly etag: string
  /** Unix milliseconds. */
  readonly createdAt: number
  readonly updatedAt: number
}

export type DesiredListener = (deployments: readonly DesiredDeployment[]) => void

/** What deployments there should be: those that are stored, and those that the configuration file declares, which win. */
export type DesiredState = {
  /** Ordered by name, without regard to case. */
  list(): readonly DesiredDeployment[]
  /** Found without regard to case. */
  get(name: string): DesiredDeployment | undefined
  /** What an operator should know: names that are both stored and in the file, stored documents that cannot be read. */
  listWarnings(): readonly string[]
  /** Calls `listener` with the whole list after every change; the function returned ends that. */
  subscribe(listener: DesiredListener): () => void
  /**
   * Creates or replaces a stored deployment. `edit` gets what is there and gives what shall be; what it throws refuses the write. Writes
   * run one after the other, so nothing changes between the two. Throws Fault `conflict` for what the file declares.
   */
  write(name: string, edit: (current: DesiredDeployment | undefined) => DeploymentSpec): Promise<Written>
  /** Deletes a stored deployment; resolves to whether there was one. `check` may refuse by throwing. Throws Fault `conflict` as `write` does. */
  remove(name: string, check?: (current: DesiredDeployment | undefined) => void): Promise<boolean>
  /** Throws Fault `conflict` when the file declares a deployment of that name: it can only be changed there. */
  requireWritable(name: string): void
  /**
   * Reads again what is stored, since another server may have written it; the function that comes back takes it over, and tells listeners where
   * something is not as it was. Nothing may be written between the two: both belong in one turn of the queue.
   */
  reread(): Promise<() => void>
  /** Takes over what the configuration file declares, whole. */
  declare(config: Pick<Config, 'file' | 'deployments' | 'modifiedAt'>): void
}

export type Written = { readonly deployment: DesiredDeployment; readonly isNew: boolean }

/**
 * Reads the stored deployments and holds desired state from then on: whoever else writes those tables has to be told of by `reread`. `enqueue`: where something else
 * is written that must not change between a write's judging and its doing.
 */
export async function openDesiredState(
  tables: Pick<Tables, 'listDeployments' | 'putDeployment' | 'deleteDeployment'>,
  enqueue: Queue = createQueue(),
): Promise<DesiredState> {
  const stored = new Map<string, DesiredDeployment>()
  /** Etags of stored documents that cannot be read, so that they can still be replaced. */
  const unreadable = new Map<string, { readonly etag: string; readonly warning: string }>()
  let declared = new Map<string, DesiredDeployment>()
  let merged: readonly DesiredDeployment[] | undefined
  const listeners = new Set<DesiredListener>()

  takeOver(await tables.listDeployments())

  /** Whether anything is not as it was. What is keeps its spec. */
  function takeOver(list: readonly DeploymentRow[]): boolean {
    const rows = new Map(list.map((row) => [deploymentKey(row.name), row]))
    const etagOf = (key: string) => (stored.get(key) ?? unreadable.get(key))?.etag
    const changed = list.filter((row) => etagOf(deploymentKey(row.name)) !== row.etag)
    const gone = [...stored.keys(), ...unreadable.keys()].filter((key) => !rows.has(key))
    for (const key of [...gone, ...changed.map(({ name }) => deploymentKey(name))]) {
      stored.delete(key)
      unreadable.delete(key)
    }
    for (const row of changed) keepRow(row)
    return changed.length + gone.length > 0
  }

  function keepRow(row: DeploymentRow): void {
    const key = deploymentKey(row.name)
    const reading = readRow(row)
    if ('deployment' in reading) stored.set(key, reading.deployment)
    else unreadable.set(key, { etag: row.etag, warning: reading.warning })
  }

  function list(): readonly DesiredDeployment[] {
    merged ??= [...new Map([...stored, ...declared])].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item)
    return merged
  }

  function announceChange(): void {
    merged = undefined
    for (const listener of listeners) listener(list())
  }

  function refuseDeclared(name: string): void {
    const item = declared.get(deploymentKey(name))
    if (item?.source.kind !== 'file') return
    const { file, line } = item.source
    throw new Fault(
      'conflict',
      `The deployment "${item.spec.name}" is declared in ${file}, line ${line}, and can only be changed there.`,
      { vendorCode: 'DeclaredInFile' },
    )
  }

  return {
    list,
    get: (name) => declared.get(deploymentKey(name)) ?? stored.get(deploymentKey(name)),
    listWarnings: () => [
      ...[...unreadable.values()].map(({ warning }) => warning),
      ...[...declared].filter(([key]) => stored.has(key)).map(([, item]) => describeShadow(item)),
    ],
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    requireWritable: refuseDeclared,
    write: (name, edit) =>
      enqueue(async () => {
        const key = deploymentKey(name)
        refuseDeclared(name)
        const current = stored.get(key)
        const spec = { ...edit(current), name: current?.spec.name ?? name }
        const expectedEtag = current?.etag ?? unreadable.get(key)?.etag ?? null
        const row = await tables.putDeployment(spec.name, spec as unknown as JsonObject, expectedEtag)
        if (!row) {
          throw new Fault(
            'conflict',
            `The deployment "${spec.name}" was changed by another server at the same time. Look at it and try again.`,
          )
        }
        const deployment: DesiredDeployment = { ...describeRow(row), spec: { ...spec, name: row.name } }
        stored.set(key, deployment)
        unreadable.delete(key)
        announceChange()
        return { deployment, isNew: current === undefined }
      }),
    remove: (name, check) =>
      enqueue(async () => {
        const key = deploymentKey(name)
        refuseDeclared(name)
        check?.(stored.get(key))
        const wasThere = await tables.deleteDeployment(name)
        unreadable.delete(key)
        if (stored.delete(key)) announceChange()
        return wasThere
      }),
    async reread() {
      const rows = await tables.listDeployments()
      return () => {
        if (takeOver(rows)) announceChange()
      }
    },
    declare(config) {
      const previous = declared
      declared = new Map(
        config.deployments.map((item) => {
          const key = deploymentKey(item.spec.name)
          return [key, describeDeclared(item, config.modifiedAt, previous.get(key))]
        }),
      )
      announceChange()
    },
  }
}

function readRow(row: DeploymentRow): { readonly deployment: DesiredDeployment } | { readonly warning: string } {
  const parsed = parseDocument(
    deploymentSpecSchema,
    { ...row.document, name: row.name },
    guardCredentials('a credential'),
  )
  if ('data' in parsed) return { deployment: { ...describeRow(row), spec: parsed.data } }
  const problems = parsed.problems.map(formatProblem).join('; ')
  return {
    warning: `The stored deployment "${row.name}" cannot be read and is left out (${problems}). Replace or delete it.`,
  }
}

function describeRow({ etag, createdAt, updatedAt }: DeploymentRow): Omit<DesiredDeployment, 'spec'> {
  return { source: { kind: 'stored' }, etag, createdAt, updatedAt }
}

/** What has not changed keeps its spec, etag and times, though its line may be another. */
function describeDeclared(
  { spec, file, line }: FileDeployment,
  modifiedAt: number,
  previous: DesiredDeployment | undefined,
): DesiredDeployment {
  const source = { kind: 'file', file, line } as const
  const etag = createHash('sha256').update(JSON.stringify(spec)).digest('base64url').slice(0, 20)
  if (previous?.etag === etag) return { ...previous, source }
  return { spec, source, etag, createdAt: previous?.createdAt ?? modifiedAt, updatedAt: modifiedAt }
}

function describeShadow({ spec, source }: DesiredDeployment): string {
  const place = source.kind === 'file' ? `${source.file}, line ${source.line}` : ''
  return `The deployment "${spec.name}" is declared in ${place}, and one of that name is stored too. The file's is used; the stored one comes back when the file no longer declares it.`
}
