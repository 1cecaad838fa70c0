import { type Command, InvalidArgumentError, Option } from 'commander'
import type { BlocklistView, ItemsChanged } from '../../../control/api.ts'
import type { BlocklistItem, ItemInput } from '../../../snapshot/filter/blocklist-spec.ts'
import type { CommandContext } from '../../context.ts'
import { type ManagementClient, openManagementClient } from '../../management-client.ts'
import { confirm } from '../../terminal/confirm.ts'
import { makeHarmless } from '../../terminal/excerpt.ts'
import { type Column, formatTime, printFacts, printList, printRows } from '../../terminal/print.ts'
import { openProgress } from '../../terminal/progress.ts'
import { describeSource } from '../describe-source.ts'
import { addItems, removeItems } from './change-items.ts'
import { readTerms } from './read-terms.ts'

const columns: readonly Column<BlocklistView>[] = [
  { title: 'name', read: (row) => row.name },
  { title: 'items', read: (row) => count(row.itemCount) },
  { title: 'policies', read: (row) => row.policies.join(', ') },
  { title: 'description', read: (row) => row.description ?? '', isOptional: true },
  { title: 'declared in', read: describeSource },
  { title: 'changed', read: (row) => formatTime(row.updatedAt) },
]

const itemColumns: readonly Column<BlocklistItem>[] = [
  { title: 'name', read: (row) => row.name },
  { title: 'kind', read: (row) => (row.isRegex ? 'pattern' : 'term') },
  { title: 'pattern', read: (row) => makeHarmless(row.pattern) },
]

const pathOf = (name: string): string => `rai-blocklists/${encodeURIComponent(name)}`

/** `ponto filter blocklist ...`: terms and patterns of the operator's own. */
export function defineBlocklist(group: Command, context: CommandContext): void {
  group.description('terms and patterns of your own').addHelpText(
    'after',
    `
Terms are found as whole words, in any case. Patterns are regular expressions that run in linear time: the server refuses
others and says why. A list has up to 10,000 items, and changes hold at once for every policy that has it.

Examples:
  ponto filter blocklist create offices --description "names of our offices"
  ponto filter blocklist add offices "Building 7" "Project Heron"
  ponto filter blocklist add offices --regex "EMP-[0-9]{6}"
  ponto filter blocklist import offices terms.txt
  ponto filter policy update strict --blocklist offices:Prompt`,
  )
  defineReaders(group, context)
  defineCreate(group, context)
  defineItems(group, context)
  defineImport(group, context)
  const remove = group.command('delete').description('remove a blocklist that no policy has, with its items')
  remove
    .argument('<name>', 'in any case')
    .option('-y, --yes', 'do not ask')
    .action(async (name: string) => {
      if (!remove.opts().yes) await confirm(context, `Deleting ${name} and its items cannot be undone. Go on?`)
      await openManagementClient(context).call(pathOf(name), { method: 'DELETE' })
      if (context.format() === 'table') context.stdout.write(`Deleted ${name}.\n`)
    })
}

function defineReaders(group: Command, context: CommandContext): void {
  group
    .command('list')
    .description('all blocklists')
    .action(async () => {
      const { value } = await openManagementClient(context).call<{ value: BlocklistView[] }>('rai-blocklists')
      const whenEmpty = 'There are no blocklists. Make one with: ponto filter blocklist create NAME'
      await printList(context, value, columns, whenEmpty)
    })
  const show = group.command('show').description('one blocklist and its items').argument('<name>', 'in any case')
  show
    .option('--items <number>', 'how many of its items', parseCount, 50)
    .option('--all', 'all of its items')
    .action(async (name: string) => {
      const client = openManagementClient(context)
      const view = await client.call<BlocklistView>(pathOf(name))
      const { all, items: most } = show.opts()
      const items = await listItems(client, name, all ? Number.POSITIVE_INFINITY : most)
      await printFacts(context, { ...view, items }, factsOf(view))
      if (context.format() !== 'table' || items.length === 0) return
      context.stdout.write('\n')
      printRows(context, items, itemColumns, '')
      const rest = view.itemCount - items.length
      if (rest > 0) context.stdout.write(`And ${count(rest)} more: --all shows them all.\n`)
    })
}

function defineCreate(group: Command, context: CommandContext): void {
  const command = group.command('create').description('make a blocklist; one that exists is left alone')
  command
    .argument('<name>', 'name that policies ask for')
    .option('--description <text>', 'what it is for')
    .option('--term <text>', 'an item to begin with; repeat it for several', (term, terms: string[] = []) => [
      ...terms,
      term,
    ])
    .addHelpText(
      'after',
      `
Examples:
  ponto filter blocklist create offices --description "names of our offices" --term "Building 7"
  ponto filter blocklist create competitors && ponto filter blocklist import competitors names.txt`,
    )
    .action(async (name: string) => {
      const { description, term: terms } = command.opts()
      const body = { ...(description === undefined ? {} : { description }), ...(terms ? { terms } : {}) }
      const client = openManagementClient(context)
      const headers = { 'if-none-match': '*' }
      const view = await client.call<BlocklistView>(pathOf(name), { method: 'PUT', body, headers })
      await printFacts(context, view, factsOf(view))
    })
}

function defineItems(group: Command, context: CommandContext): void {
  const add = group.command('add').description('add items; those that are there already stay as they are')
  add
    .argument('<name>', 'of the blocklist, in any case')
    .argument('<pattern...>', 'terms; with --regex regular expressions')
    .option('--regex', 'they are regular expressions')
    .option('--item <name>', 'a name of your own for the one item')
    .addHelpText(
      'after',
      `
Examples:
  ponto filter blocklist add offices "Building 7" "Project Heron"
  ponto filter blocklist add offices --item badge --regex "EMP-[0-9]{6}"`,
    )
    .action(async (name: string, patterns: string[]) => {
      const { regex: isRegex = false, item } = add.opts()
      if (item !== undefined && patterns.length > 1) add.error('error: --item is the name of one item')
      const items = patterns.map(
        (pattern): ItemInput => ({ ...(item === undefined ? {} : { name: item }), pattern, isRegex }),
      )
      const client = openManagementClient(context)
      await printChanged(
        context,
        name,
        await addItems(client, pathOf(name), items, { describe: (index) => JSON.stringify(patterns[index]) }),
      )
    })
  const remove = group.command('remove').description('remove items, by their names or by what they look for')
  remove
    .argument('<name>', 'of the blocklist, in any case')
    .argument('<item...>', 'names as "show" lists them, or terms and patterns')
    .addHelpText(
      'after',
      '\nExamples:\n  ponto filter blocklist remove offices "Building 7"\n  ponto filter blocklist remove offices badge',
    )
    .action(async (name: string, wanted: string[]) => {
      const client = openManagementClient(context)
      const items = await listItems(client, name, Number.POSITIVE_INFINITY)
      const found = wanted.map((text) => {
        const match = items.filter((item) => item.name.toLowerCase() === text.toLowerCase() || item.pattern === text)
        if (match.length > 0) return match
        return remove.error(`error: ${name} has no item "${text}": ponto filter blocklist show ${name} --all`)
      })
      const names = [...new Set(found.flat().map((item) => item.name))]
      await printChanged(context, name, await removeItems(client, pathOf(name), names))
    })
}

function defineImport(group: Command, context: CommandContext): void {
  const command = group.command('import').description('add the terms of a file, up to 10,000')
  command
    .argument('<name>', 'of the blocklist, in any case')
    .argument('<file>', 'one term on each line, or CSV; - for standard input')
    .addOption(new Option('--format <form>', 'what the file is, where its name does not say').choices(['text', 'csv']))
    .addHelpText(
      'after',
      `
A CSV file has the columns term and isRegex, its first line may say so:
  term,isRegex
  Building 7,false
  "EMP-[0-9]{2,6}",true

Terms that are there already stay. Nothing is added from a file that has a line which cannot be read; where the server
refuses a pattern, those before its portion are in, and the same import can be run again.

Examples:
  ponto filter blocklist import offices terms.txt
  ponto filter blocklist import offices patterns.csv
  cut -f2 names.tsv | ponto filter blocklist import offices -`,
    )
    .action(async (name: string, file: string) => {
      const terms = await readTerms(context, file, command.opts().format)
      const client = openManagementClient(context)
      const progress = openProgress(context, 'terms', terms.length)
      try {
        const items = terms.map(({ item }) => item)
        const changed = await addItems(client, pathOf(name), items, {
          onProgress: progress.show,
          describe: (index) => `${file === '-' ? 'standard input' : file}:${terms[index]?.line}`,
        })
        progress.end()
        await printChanged(context, name, changed)
      } finally {
        progress.end()
      }
    })
}

/** The first `most` items, by name. */
async function listItems(client: ManagementClient, name: string, most: number): Promise<readonly BlocklistItem[]> {
  const items: BlocklistItem[] = []
  let after: string | undefined
  while (items.length < most) {
    const top = Math.min(1_000, most - items.length)
    const query = new URLSearchParams({ top: String(top), ...(after === undefined ? {} : { after }) })
    const page = await client.call<{ value: BlocklistItem[]; nextLink?: string }>(`${pathOf(name)}/items?${query}`)
    items.push(...page.value)
    after = page.value.at(-1)?.name
    if (!page.nextLink || after === undefined) break
  }
  return items
}

function factsOf(view: BlocklistView): (readonly [string, string])[] {
  return [
    ['Name', view.name],
    ...(view.description ? [['Description', view.description] as const] : []),
    ['Items', count(view.itemCount)],
    ['Policies', view.policies.join(', ') || 'none: nothing looks for its items yet'],
    ['Declared in', describeSource(view)],
    ['Created', formatTime(view.createdAt)],
    ['Changed', formatTime(view.updatedAt)],
  ]
}

async function printChanged(context: CommandContext, name: string, changed: ItemsChanged): Promise<void> {
  await printFacts(context, changed, [
    ['Blocklist', name],
    ['Added', count(changed.added)],
    ['Changed', count(changed.changed)],
    ['Removed', count(changed.removed)],
    ['Items now', count(changed.count)],
  ])
}

function parseCount(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number: 0, 1, 2, ...')
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}
