import type { Command } from 'commander'
import type { FilterChoices } from '../../../control/api.ts'
import { isJsonObject, type JsonObject } from '../../../core/json.ts'
import type { CommandContext } from '../../context.ts'
import { openManagementClient } from '../../management-client.ts'
import { type Column, printData, printRows } from '../../terminal/print.ts'

type Row = { readonly name: string; readonly about: JsonObject }

/** `ponto filter engine kinds`: what there is to choose from, as the server tells it. */
export function defineKinds(command: Command, context: CommandContext): void {
  command
    .description('which kinds of engines there are, and what each needs and can judge')
    .addHelpText('after', '\nExamples:\n  ponto filter engine kinds\n  ponto filter engine kinds --output json')
    .action(async () => {
      const choices = await openManagementClient(context).call<FilterChoices>('filters')
      const { engineKinds, guardProfiles } = choices
      if (await printData(context, { kinds: engineKinds, profiles: guardProfiles })) return
      printRows(context, listRows(engineKinds), kindColumns, 'There are no kinds.')
      context.stdout.write('\nProfiles of the kind guard:\n\n')
      printRows(context, listRows(guardProfiles), profileColumns, 'There are no profiles.')
    })
}

const categories: Column<Row> = {
  title: 'judges',
  read: ({ about }) => (Array.isArray(about.categories) ? about.categories.join(', ') : ''),
}

const options: Column<Row> = {
  title: 'options',
  read: ({ about }) =>
    isJsonObject(about.options)
      ? Object.entries(about.options)
          .map(([name, row]) => (isJsonObject(row) && row.isRequired === true ? `${name} (needed)` : name))
          .join(', ')
      : '',
}

const kindColumns: readonly Column<Row>[] = [
  { title: 'kind', read: ({ name }) => name },
  { title: 'asks', read: ({ about }) => describePlace(about) },
  { title: 'credential', read: ({ about }) => (about.credential === 'required' ? 'needed' : String(about.credential)) },
  options,
  categories,
]

const profileColumns: readonly Column<Row>[] = [{ title: 'profile', read: ({ name }) => name }, options, categories]

function describePlace(about: JsonObject): string {
  if (about.deployment === 'required') return '--deployment'
  return about.url === 'required' ? '--url' : 'its address, or --url'
}

function listRows(table: Readonly<Record<string, object>>): Row[] {
  return Object.entries(table).map(([name, about]) => ({ name, about: about as JsonObject }))
}
