import type { JsonObject } from '../../core/json.ts'
import { formatProblem } from '../../core/text/parse-document.ts'
import type { FiltersTable } from '../../port/tables/filters/port.ts'
import { type Collection, createCollection, type Declared } from '../filter/collection.ts'
import type { Queue } from '../queue.ts'
import { type DeploymentPolicy, readDeploymentPolicy } from './deployment-policy.ts'

/** Which policies over deployments there should be. */
export type DeploymentPolicies = {
  readonly collection: Collection<DeploymentPolicy>
  list(): readonly DeploymentPolicy[]
  /** What an operator should know: names that are both stored and in the file, stored documents that cannot be read. */
  listWarnings(): readonly string[]
  /** Reads again what is stored; the function that comes back takes it over. */
  reread(): Promise<() => void>
  /** Takes over what the configuration file declares, whole. `modifiedAt` is unix milliseconds. */
  declare(policies: readonly Declared<DeploymentPolicy>[], modifiedAt: number): void
}

export type DeploymentPoliciesOptions = {
  readonly table: FiltersTable
  /** Unix milliseconds. */
  readonly now: () => number
  readonly enqueue: Queue
}

/** Reads what is stored and holds its state from then on: whoever else writes that table has to be told of by `reread`. */
export async function openDeploymentPolicies(options: DeploymentPoliciesOptions): Promise<DeploymentPolicies> {
  const { table, now, enqueue } = options
  const kind = 'deployment-policy'
  const collection = createCollection<DeploymentPolicy>({
    noun: 'deployment policy',
    enqueue,
    fixed: [],
    listRows: () => table.list(kind),
    async readRow({ document, name }) {
      const reading = readDeploymentPolicy({ ...document, name })
      return 'spec' in reading ? reading : { problem: reading.problems.map(formatProblem).join('; ') }
    },
    save: (spec, _before, expectedEtag) =>
      table.put(kind, spec.name, spec as unknown as JsonObject, expectedEtag, now()),
    drop: (name) => table.delete(kind, name),
    listUsers: () => [],
    // Deployments are judged when they are written: nothing else waits for a policy.
    onChange: () => {},
  })
  const takeOver = await collection.reread()
  takeOver()
  return {
    collection,
    list: () => collection.list().map(({ spec }) => spec),
    listWarnings: collection.listWarnings,
    reread: collection.reread,
    declare: collection.declare,
  }
}
