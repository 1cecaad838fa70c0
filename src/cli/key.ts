import type { Command } from 'commander'
import type { KeyView } from '../control/api.ts'
import type { CommandContext } from './context.ts'
import { openManagementClient } from './management-client.ts'
import { formatTime, printList } from './print.ts'

const columns = [
  { title: 'name', read: (row: KeyView) => row.name },
  { title: 'key', read: (row: KeyView) => row.value },
  { title: 'made', read: (row: KeyView) => formatTime(row.createdAt) },
]

/** `ponto key ...`: the two keys of the resource. Either opens the data plane, neither the management API. */
export function defineKey(group: Command, context: CommandContext): void {
  group.addHelpText(
    'after',
    `
Examples:
  ponto key list
  ponto key regenerate key2       key1 stays valid, so clients can move over first`,
  )
  group
    .command('list')
    .description('both keys, in full')
    .action(async () => {
      const { value } = await openManagementClient(context.folder()).call<{ value: KeyView[] }>('keys')
      await printList(context, value, columns, 'There are no keys.')
    })
  const regenerate = group.command('regenerate').description('replace one key; the other stays valid')
  regenerate.argument('<name>', 'key1 or key2').action(async (name: string) => {
    if (name !== 'key1' && name !== 'key2') regenerate.error(`error: "${name}" is not a key: key1 or key2`)
    const client = openManagementClient(context.folder())
    const view = await client.call<KeyView>(`keys/${name}/regenerate`, { method: 'POST' })
    await printList(context, [view], columns, '')
  })
}
