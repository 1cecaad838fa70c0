import type { Command } from 'commander'
import type { TopicView } from '../../control/api.ts'
import type { TopicInput } from '../../snapshot/filter/topic-spec.ts'
import type { CommandContext } from '../context.ts'
import { openManagementClient } from '../management-client.ts'
import { type Column, formatTime, printFacts, printList } from '../terminal/print.ts'
import { readDocumentFile, requireName } from '../terminal/read-file.ts'
import { describeSource } from './describe-source.ts'

const columns: readonly Column<TopicView>[] = [
  { title: 'name', read: (row) => row.name },
  { title: 'examples', read: (row) => String(row.examples.length) },
  { title: 'policies', read: (row) => row.policies.join(', ') },
  { title: 'declared in', read: describeSource },
  { title: 'description', read: (row) => row.description },
]

const pathOf = (name: string): string => `rai-topics/${encodeURIComponent(name)}`

/** `ponto filter topic ...`: what an operator wants to keep out, in words of their own. */
export function defineTopic(group: Command, context: CommandContext): void {
  group.description('topics of your own').addHelpText(
    'after',
    `
Engines with a guard model go by the description. The built-in one knows of a topic only its examples, word for word.

Examples:
  ponto filter topic list
  ponto filter topic create tax-advice --description "Advice on how to pay less tax" --example "how do I hide income"
  ponto filter policy update strict --topic tax-advice:Completion`,
  )
  group
    .command('list')
    .description('all topics')
    .action(async () => {
      const { value } = await openManagementClient(context).call<{ value: TopicView[] }>('rai-topics')
      const whenEmpty = 'There are no topics. Make one with: ponto filter topic create NAME --description TEXT'
      await printList(context, value, columns, whenEmpty)
    })
  group
    .command('show')
    .description('one topic and its examples')
    .argument('<name>', 'in any case')
    .action(async (name: string) => {
      await showTopic(context, await openManagementClient(context).call<TopicView>(pathOf(name)))
    })
  const create = group.command('create').description('make a topic; one that exists is left alone')
  create
    .argument('[name]', 'name that policies ask for')
    .option('--description <text>', 'what the topic is, for engines that understand it')
    .option('--example <text>', 'a sentence about it; repeat it for several', (text, texts: string[] = []) => [
      ...texts,
      text,
    ])
    .option('--file <topic>', 'read everything from a YAML or JSON file, - for standard input')
    .addHelpText(
      'after',
      `
Examples:
  ponto filter topic create tax-advice --description "Advice on how to pay less tax" --example "how do I hide income"
  ponto filter topic create --file topic.yaml`,
    )
    .action(async (name: string | undefined) => {
      const { name: path, ...body } = await readTopic(create, context, name)
      const client = openManagementClient(context)
      const headers = { 'if-none-match': '*' }
      await showTopic(context, await client.call<TopicView>(pathOf(path), { method: 'PUT', body, headers }))
    })
  group
    .command('delete')
    .description('remove a topic that no policy has')
    .argument('<name>', 'in any case')
    .action(async (name: string) => {
      await openManagementClient(context).call(pathOf(name), { method: 'DELETE' })
      if (context.format() === 'table') context.stdout.write(`Deleted ${name}.\n`)
    })
}

async function readTopic(command: Command, context: CommandContext, name: string | undefined): Promise<TopicInput> {
  const { file, description, example: examples } = command.opts()
  if (file !== undefined) {
    if (description !== undefined || examples) {
      command.error('error: --file says everything; leave --description and --example away')
    }
    const document = await readDocumentFile(context, file, 'topic: name, description, examples')
    return { ...(document as unknown as TopicInput), name: requireName(document, file, name, 'topic') }
  }
  if (!name) return command.error('error: a name is missing: ponto filter topic create NAME --description TEXT')
  if (description === undefined) return command.error('error: --description is missing: what the topic is')
  return { name, description, ...(examples ? { examples } : {}) }
}

async function showTopic(context: CommandContext, view: TopicView): Promise<void> {
  await printFacts(context, view, [
    ['Name', view.name],
    ['Description', view.description],
    ...(view.examples.length > 0
      ? view.examples.map((example) => ['Example', example] as const)
      : [['Examples', 'none: the built-in engine finds nothing of it'] as const]),
    ['Policies', view.policies.join(', ') || 'none'],
    ['Declared in', describeSource(view)],
    ['Changed', formatTime(view.updatedAt)],
  ])
}
