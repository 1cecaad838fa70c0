import type { Sealer } from '../../core/access/seal.ts'
import { Fault } from '../../core/fault.ts'
import type { ResourceId } from '../../core/resource.ts'
import type { KeyName } from '../../port/tables/port.ts'
import {
  type KeyTables,
  type ResourceKey,
  readResourceKeys,
  storeResourceKey,
} from '../../snapshot/keys/resource-keys.ts'
import { createQueue } from '../../snapshot/queue.ts'
import type { KeyView } from '../api.ts'
import type { Answer } from '../http/answer.ts'
import { refuseDryRun } from '../http/dry-run.ts'

export type KeysOptions = {
  readonly tables: KeyTables
  /** Whose keys they are; the server's own resource's when absent. */
  readonly resource?: ResourceId | undefined
  /** Keys that the configuration file has in place of stored ones: only there they can be changed. */
  declaredKeys?(): readonly ResourceKey[]
  readonly sealer: Sealer
  /** A new random key. */
  makeKey(): string
  /** Both keys as they are from now on; called before the answer goes out. */
  onKeysChanged(keys: readonly ResourceKey[]): void
  /** Unix milliseconds. */
  now(): number
}

const names: readonly string[] = ['key1', 'key2'] satisfies readonly KeyName[]

/** The keys of the data plane. Showing them is the point: the operator copies them from here. */
export function createKeys(options: KeysOptions): {
  list(): Promise<Answer>
  regenerate(request: Request, name: string): Promise<Answer>
} {
  const { tables, sealer, resource, declaredKeys = () => [] } = options
  const enqueue = createQueue()
  return {
    async list() {
      const declared = declaredKeys()
      const stored = await readResourceKeys(tables, sealer, resource)
      const keys = stored.map((key) => declared.find(({ name }) => name === key.name) ?? key)
      return { status: 200, body: { value: keys.map(viewKey) } }
    },
    async regenerate(request, name) {
      refuseDryRun(request)
      if (!isKeyName(name))
        throw new Fault('not-found', `There is no key ${JSON.stringify(name)}; there are key1 and key2.`)
      if (declaredKeys().some((key) => key.name === name)) {
        throw new Fault(
          'conflict',
          `The ${name} of this resource is declared in the configuration file, and can only be changed there.`,
          {
            vendorCode: 'DeclaredInFile',
          },
        )
      }
      return enqueue(async () => {
        const key = { name, value: options.makeKey(), createdAt: options.now() }
        await storeResourceKey(tables, sealer, key, resource)
        options.onKeysChanged(await readResourceKeys(tables, sealer, resource))
        return { status: 200, body: viewKey(key) }
      })
    },
  }
}

function isKeyName(name: string): name is KeyName {
  return names.includes(name)
}

function viewKey({ name, value, createdAt }: ResourceKey): KeyView {
  return { name, value, createdAt: new Date(createdAt).toISOString() }
}
