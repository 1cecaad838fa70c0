import type { Command } from 'commander'
import type { FilterChoices } from '../../../control/api.ts'
import type { CommandContext } from '../../context.ts'
import { openManagementClient } from '../../management-client.ts'
import { type Column, printData, printRows } from '../../terminal/print.ts'

/** `ponto filter policy choices`: everything that may stand in a policy, as the server tells it. */
export function defineChoices(command: Command, context: CommandContext): void {
  command
    .description('which filters there are, what can judge each, and which personal data is known')
    .addHelpText('after', '\nExamples:\n  ponto filter policy choices\n  ponto filter policy choices --output json')
    .action(async () => {
      const choices = await openManagementClient(context).call<FilterChoices>('filters')
      if (await printData(context, choices)) return
      printRows(context, choices.categories, listCategoryColumns(choices), 'There are no filters.')
      context.stdout.write('\nPersonal data, for --pii:\n\n')
      printRows(context, choices.piiTypes, piiColumns, 'There are no types.')
    })
}

type Category = FilterChoices['categories'][number]
type PiiType = FilterChoices['piiTypes'][number]

function listCategoryColumns({ engines, severityThresholds }: FilterChoices): readonly Column<Category>[] {
  return [
    { title: 'filter', read: ({ name }) => name },
    { title: 'in policies', read: ({ title }) => title },
    { title: 'sides', read: ({ sources }) => sources.join(', ') },
    { title: 'levels', read: ({ kind }) => (kind === 'severity' ? severityThresholds.join(', ') : '-') },
    {
      title: 'engines',
      read: ({ name }) =>
        engines
          .filter(({ categories }) => categories.includes(name))
          .map((engine) => engine.name)
          .join(', ') || '-',
    },
  ]
}

const piiColumns: readonly Column<PiiType>[] = [
  { title: 'type', read: ({ type }) => type },
  { title: 'group', read: ({ group }) => group },
  { title: 'what it is', read: ({ describes }) => describes },
]
