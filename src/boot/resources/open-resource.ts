import type { Sealer } from '../../core/access/seal.ts'
import { Fault } from '../../core/fault.ts'
import { ownResource, resourceKey } from '../../core/resource.ts'
import type { BuiltinModel } from '../../engine/builtin-models.ts'
import type { ResourceRow, Tables } from '../../port/tables/port.ts'
import { storeResourceKey } from '../../snapshot/keys/resource-keys.ts'
import { makeResourceKey } from '../secrets.ts'

const defaultName = 'ponto'

/**
 * The resource of this data folder. At the first start it is made: two keys, and a deployment of the built-in model, so that there
 * is something to talk to. A later `--name` renames it. Rejects with Fault `conflict` where another resource has that name.
 */
export async function openResource(
  tables: Tables,
  sealer: Sealer,
  model: BuiltinModel | undefined,
  name: string | undefined,
): Promise<ResourceRow> {
  const found = await tables.getResource()
  if (found && (name === undefined || name === found.name)) return found
  const wanted = resourceKey(name ?? defaultName)
  const others = (await tables.resources.list()).filter(({ id }) => id !== ownResource)
  const same = others.find((other) => resourceKey(other.name) === wanted)
  if (same) {
    const state =
      same.deletedAt === undefined ? 'of another resource on this server' : 'of a deleted resource: purge it first'
    throw new Fault(
      'conflict',
      `--name ${JSON.stringify(name ?? defaultName)}: this is the name ${state}. Choose another one.`,
    )
  }
  const now = Date.now()
  if (!found) {
    for (const key of ['key1', 'key2'] as const) {
      await storeResourceKey(tables, sealer, { name: key, value: makeResourceKey(), createdAt: now })
    }
    if (model) {
      const { format, name, version } = model
      await tables.putDeployment(name, { name, model: { format, name, version } }, null)
    }
  }
  // Last, so that a first start that was cut short is made again.
  const resource = { name: name ?? defaultName, createdAt: found?.createdAt ?? now }
  await tables.putResource(resource)
  return resource
}
