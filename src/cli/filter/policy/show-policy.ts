import type { PolicyView } from '../../../control/api.ts'
import { filterCategories, levelOf } from '../../../core/filter/categories.ts'
import type { CommandContext } from '../../context.ts'
import { type Column, formatTime, printFacts, printRows } from '../../terminal/print.ts'
import { describeSource } from '../describe-source.ts'

type Resolved = PolicyView['effectiveFilters'][number]

/** One line of the table: a filter, a blocklist or a topic on one side. */
type Row = {
  readonly side: string
  readonly filter: string
  readonly from: string
  readonly action: string
  readonly engines: string
  readonly note: string
}

const columns: readonly Column<Row>[] = [
  { title: 'side', read: (row) => row.side },
  { title: 'filter', read: (row) => row.filter },
  { title: 'from', read: (row) => row.from },
  { title: 'what happens', read: (row) => row.action },
  { title: 'engines', read: (row) => row.engines },
  { title: 'note', read: (row) => row.note, isOptional: true },
]

/** What the builtin engine finds by comparing words or lines, and in no other way. */
const lexicalCategories: ReadonlySet<string> = new Set([
  'indirect_attack',
  'protected_material_text',
  'protected_material_code',
  'ungrounded_material',
  'custom_topics',
])

export const builtinSentence =
  'The built-in engine knows words and phrasings, not meaning; it misses what is said in other words, and stops some that is harmless.'

/** Prints one policy in full: what it is, and a table of what it does on each side. */
export async function showPolicy(context: CommandContext, view: PolicyView): Promise<void> {
  const { scope, deployments } = view
  await printFacts(context, view, [
    ['Name', view.name],
    ...(view.description ? [['Description', view.description] as const] : []),
    ...(view.type === 'SystemManaged' ? [] : [['Base policy', view.basePolicyName] as const]),
    ['Mode', describeMode(view)],
    ['Judged', describeScope(scope)],
    ['Prompt check', view.promptCheck === 'first' ? 'before the model is asked' : 'while the model works'],
    ...(view.spotlighting ? [['Spotlighting', 'documents are encoded before the model sees them'] as const] : []),
    ['By x-policy-id', view.selectable ? 'calls may choose it' : 'calls cannot choose it'],
    ['Deployments', deployments.join(', ') || 'none'],
    ['Declared in', describeSource(view)],
    ...(view.type === 'SystemManaged' ? [] : [['Changed', formatTime(view.updatedAt)] as const]),
  ])
  if (context.format() !== 'table') return
  const rows = listRows(view)
  context.stdout.write('\n')
  printRows(context, rows, columns, 'It filters nothing.')
  if (view.effectiveFilters.some(({ engines }) => engines.includes('builtin'))) {
    context.stdout.write(`\n${builtinSentence}\n`)
  }
}

function listRows(view: PolicyView): Row[] {
  const rows = [
    ...view.effectiveFilters.map((filter) => describeFilter(view, filter)),
    ...view.customBlocklists.map(({ blocklistName, source, blocking }) =>
      describeList(source, `Blocklist ${blocklistName}`, blocking),
    ),
    ...view.customTopics.map(({ topicName, source, blocking }) => describeList(source, `Topic ${topicName}`, blocking)),
  ]
  const order = ['Prompt', 'Completion']
  return rows.sort((a, b) => order.indexOf(a.side) - order.indexOf(b.side))
}

function describeFilter(view: PolicyView, filter: Resolved): Row {
  const { title, kind } = filterCategories[filter.category]
  const isOwn = view.contentFilters.some(({ name, source }) => name === title && source === filter.source)
  const isBase = view.type !== 'SystemManaged' && !isOwn && filter.category !== 'custom_topics'
  const isLexical = lexicalCategories.has(filter.category) && filter.engines.includes('builtin')
  return {
    side: filter.source,
    filter: title,
    from: kind === 'severity' ? levelOf(filter.leastSeverity) : '-',
    action: describeAction(filter),
    engines: describeEngines(filter),
    note: [isLexical && 'lexical', isBase && `of ${view.basePolicyName}`].filter(Boolean).join(', '),
  }
}

function describeAction({ category, blocking, piiTypes, restoresRedacted }: Resolved): string {
  // Topics say it themselves.
  if (category === 'custom_topics') return 'by topic'
  if (!piiTypes) return blocking ? 'block' : 'annotate'
  const actions = ['block', 'redact', 'annotate'].flatMap((action) => {
    const types = piiTypes.filter((entry) => entry.action === action).map(({ type }) => type)
    return types.length > 0 ? [`${action} ${types.join(', ')}`] : []
  })
  return [...actions, ...(restoresRedacted ? ['put back in answers'] : [])].join('; ')
}

function describeEngines({ engines, combine, onError }: Resolved): string {
  const how = engines.length > 1 ? ` (${combine})` : ''
  const isRemote = engines.some((name) => name !== 'builtin')
  return `${engines.join(', ')}${how}${isRemote && onError === 'closed' ? ', refuses when none answers' : ''}`
}

function describeList(side: string, filter: string, blocking: boolean): Row {
  return { side, filter, from: '-', action: blocking ? 'block' : 'annotate', engines: '-', note: '' }
}

function describeMode({ mode, strictAzureChunks }: PolicyView): string {
  const isAsynchronous = mode === 'Asynchronous_filter' || mode === 'Deferred'
  const meaning = isAsynchronous
    ? `answers go out at once and are stopped afterwards${strictAzureChunks ? '; annotations without a delta' : ''}`
    : 'answers wait for their filters'
  return `${mode}: ${meaning}`
}

function describeScope({ messages, toolResults, exemptSystem }: PolicyView['scope']): string {
  const which =
    messages === 'last-user'
      ? 'the newest message of the user'
      : `all messages${exemptSystem ? ' but those of the system' : ''}`
  return `${which}${toolResults ? ', and results of tools' : ''}`
}
