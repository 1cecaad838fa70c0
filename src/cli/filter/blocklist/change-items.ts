import type { ItemsChanged } from '../../../control/api.ts'
import { Fault } from '../../../core/fault.ts'
import type { ItemInput } from '../../../snapshot/filter/blocklist-spec.ts'
import type { ManagementClient } from '../../management-client.ts'

/** So many are written at once: the list is compiled anew each time. */
const portion = 1_000

export type AddOptions = {
  /** Told how many have been sent. */
  onProgress?(done: number): void
  /** Where the item of that number is from: `terms.txt:7`. */
  describe?(index: number): string
}

/** Adds items in portions. `path` is that of the list. A Fault that names an item says where it is from. */
export async function addItems(
  client: ManagementClient,
  path: string,
  items: readonly ItemInput[],
  { onProgress, describe }: AddOptions = {},
): Promise<ItemsChanged> {
  let total: ItemsChanged = { added: 0, changed: 0, removed: 0, count: 0 }
  for (let at = 0; at < items.length; at += portion) {
    const body = items.slice(at, at + portion)
    try {
      total = sum(total, await client.call<ItemsChanged>(`${path}/items`, { method: 'POST', body }))
    } catch (error) {
      throw describe ? placeFault(error, at, describe) : error
    }
    onProgress?.(at + body.length)
  }
  return total
}

export async function removeItems(
  client: ManagementClient,
  path: string,
  names: readonly string[],
): Promise<ItemsChanged> {
  return client.call<ItemsChanged>(`${path}/items/delete`, { method: 'POST', body: names })
}

function sum(a: ItemsChanged, b: ItemsChanged): ItemsChanged {
  return { added: a.added + b.added, changed: a.changed + b.changed, removed: a.removed + b.removed, count: b.count }
}

/** `[7].pattern: cannot be used: ...` becomes `terms.txt:12: cannot be used: ...`. */
function placeFault(error: unknown, from: number, describe: (index: number) => string): unknown {
  if (!(error instanceof Fault)) return error
  const message = error.message.replace(
    /^\[?(\d+)\]?(?:\.[a-z]+)?: /gim,
    (_whole, index: string) => `${describe(from + Number(index))}: `,
  )
  return new Fault(error.code, message)
}
