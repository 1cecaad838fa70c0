import { type Command, InvalidArgumentError } from 'commander'
import type { AnalyzedLine } from '../../../control/api.ts'
import { isJsonObject, type JsonObject } from '../../../core/json.ts'
import type { CommandContext } from '../../context.ts'
import { openManagementClient } from '../../management-client.ts'
import { shorten } from '../../terminal/excerpt.ts'
import { type Column, printData, printRows } from '../../terminal/print.ts'
import { type AskedText, analyzeTexts, isJudged } from './analyze.ts'
import { describe, LineProblem, readLines, readSource, requireText } from './read-lines.ts'

/** `ponto filter replay`: what another policy would have made of texts that there were. */
export function defineReplay(command: Command, context: CommandContext): void {
  command
    .description('which verdicts change from one policy to another')
    .argument('<file>', 'a JSON object on each line; - for standard input')
    .requiredOption('--policy <name>', 'the policy as it is')
    .requiredOption('--against <name>', 'the policy to compare it with')
    .option('--show-text', 'show the beginnings of the texts whose verdict changes; else only their lines')
    .option('--lines <number>', 'list at most so many of them', parseCount, 100)
    .addHelpText(
      'after',
      `
Lines are {"text": "...", "source": "Prompt" or "Completion"} or chats: {"messages": [...], "answer": "..."}. Of a chat the
newest message of the user and the answer are judged, each for itself. Both policies judge every text now, with the
engines that they have now; what they said then does not count.

Examples:
  ponto filter replay chats.jsonl --policy Microsoft.DefaultV2 --against strict
  ponto filter replay chats.jsonl --policy strict --against lenient --show-text
  ponto filter replay chats.jsonl --policy strict --against lenient --output json | jq .changed`,
    )
    .action(async (file: string) => {
      const { policy, against, showText, lines: most } = command.opts()
      const texts = (await readLines(context, file, readReplayed)).flatMap(({ line, value }) =>
        value.map((asked) => ({ line, asked })),
      )
      const client = openManagementClient(context)
      const asked = texts.map((text) => text.asked)
      const before = await analyzeTexts(context, client, policy, asked, `texts by ${policy}`)
      const after = await analyzeTexts(context, client, against, asked, `texts by ${against}`)
      const pairs = texts.map(
        ({ line, asked: text }, index): Pair => ({
          line,
          asked: text,
          before: readVerdict(before.value[index]),
          after: readVerdict(after.value[index]),
        }),
      )
      await printReplay(
        context,
        { policy: before.policy, against: after.policy, isTextShown: showText === true, most },
        pairs,
      )
    })
}

function parseCount(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number: 0, 1, 2, ...')
}

/** The texts that a line holds. */
function readReplayed(line: JsonObject): AskedText[] {
  if (line.messages === undefined) return [{ text: requireText(line, 'text'), source: readSource(line) }]
  const prompt = findUserText(line.messages)
  const { answer } = line
  if (answer !== undefined && answer !== null && typeof answer !== 'string') {
    throw new LineProblem(`"answer" is ${describe(answer)}, not a text`)
  }
  const texts: AskedText[] = [
    ...(prompt ? [{ text: prompt, source: 'Prompt' } as const] : []),
    ...(answer ? [{ text: answer, source: 'Completion', ...(prompt ? { prompt } : {}) } as const] : []),
  ]
  if (texts.length === 0) throw new LineProblem('"messages" has no text of a user, and there is no "answer"')
  return texts
}

/** The text of the newest message of the user. */
function findUserText(messages: unknown): string | undefined {
  if (!Array.isArray(messages)) throw new LineProblem('"messages" is no list')
  const newest = messages.findLast((message) => isJsonObject(message) && message.role === 'user') as
    | JsonObject
    | undefined
  const { content } = newest ?? {}
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return undefined
  return content
    .filter(isJsonObject)
    .flatMap(({ text }) => (typeof text === 'string' ? [text] : []))
    .join('\n')
}

type Verdict = { readonly filtered: boolean; readonly categories: readonly string[]; readonly hasError: boolean }
type Pair = { readonly line: number; readonly asked: AskedText; readonly before: Verdict; readonly after: Verdict }

function readVerdict(answer: AnalyzedLine | undefined): Verdict {
  // What no engine could judge is refused.
  if (!answer || !isJudged(answer)) return { filtered: true, categories: ['not judged'], hasError: true }
  const { results, filtered } = answer
  return {
    filtered,
    categories: Object.entries(results).flatMap(([category, one]) =>
      isJsonObject(one) && one.filtered === true ? [category] : [],
    ),
    hasError: results.error !== undefined,
  }
}

const changeNames = {
  filtered: 'now filtered',
  released: 'no longer filtered',
  reason: 'filtered for other reasons',
} as const
type Change = keyof typeof changeNames

function changeOf({ before, after }: Pair): Change | undefined {
  if (before.filtered !== after.filtered) return after.filtered ? 'filtered' : 'released'
  return before.categories.join() === after.categories.join() ? undefined : 'reason'
}

type CategoryRow = {
  readonly category: string
  readonly before: number
  readonly after: number
  readonly added: number
  readonly removed: number
}

type ChangedRow = {
  readonly line: number
  readonly source: string
  readonly change: Change
  readonly before: readonly string[]
  readonly after: readonly string[]
  readonly text?: string
}

type ReplayOptions = {
  readonly policy: string
  readonly against: string
  readonly isTextShown: boolean
  readonly most: number
}

async function printReplay(context: CommandContext, options: ReplayOptions, pairs: readonly Pair[]): Promise<void> {
  const { policy, against, isTextShown, most } = options
  const changed = pairs.flatMap((pair): ChangedRow[] => {
    const change = changeOf(pair)
    if (!change) return []
    const { line, asked, before, after } = pair
    const row = { line, source: asked.source, change, before: before.categories, after: after.categories }
    return [isTextShown ? { ...row, text: asked.text } : row]
  })
  const counts = {
    texts: pairs.length,
    unchanged: pairs.length - changed.length,
    filteredBefore: pairs.filter(({ before }) => before.filtered).length,
    filteredAfter: pairs.filter(({ after }) => after.filtered).length,
    nowFiltered: changed.filter(({ change }) => change === 'filtered').length,
    noLongerFiltered: changed.filter(({ change }) => change === 'released').length,
    otherReasons: changed.filter(({ change }) => change === 'reason').length,
    notJudgedBefore: pairs.filter(({ before }) => before.hasError).length,
    notJudgedAfter: pairs.filter(({ after }) => after.hasError).length,
  }
  const categories = countCategories(pairs)
  if (await printData(context, { policy, against, counts, categories, changed: changed.slice(0, most) })) return
  const say = (text: string) => context.stdout.write(`${text}\n`)
  say(
    `${plural(counts.texts, 'text')}: ${policy} filters ${counts.filteredBefore}, ${against} filters ${counts.filteredAfter}.`,
  )
  say(
    `Unchanged ${counts.unchanged}, now filtered ${counts.nowFiltered}, no longer filtered ${counts.noLongerFiltered}, ` +
      `filtered for other reasons ${counts.otherReasons}.`,
  )
  for (const [name, missed] of [
    [policy, counts.notJudgedBefore],
    [against, counts.notJudgedAfter],
  ] as const) {
    if (missed > 0) say(`Not every filter of ${name} could judge ${plural(missed, 'text')}: an engine did not answer.`)
  }
  if (categories.length > 0) {
    say('')
    printRows(context, categories, categoryColumns(policy, against), '')
  }
  if (changed.length === 0) return
  say('')
  printRows(context, changed.slice(0, most), changedColumns, 'The lines are not listed: --lines is 0.')
  if (most > 0 && changed.length > most) say(`And ${changed.length - most} more: --lines shows more of them.`)
}

function countCategories(pairs: readonly Pair[]): CategoryRow[] {
  const names = [...new Set(pairs.flatMap(({ before, after }) => [...before.categories, ...after.categories]))].sort()
  return names.map((category) => {
    const has = (verdict: Verdict) => verdict.categories.includes(category)
    return {
      category,
      before: pairs.filter(({ before }) => has(before)).length,
      after: pairs.filter(({ after }) => has(after)).length,
      added: pairs.filter(({ before, after }) => !has(before) && has(after)).length,
      removed: pairs.filter(({ before, after }) => has(before) && !has(after)).length,
    }
  })
}

function categoryColumns(policy: string, against: string): readonly Column<CategoryRow>[] {
  return [
    { title: 'category', read: (row) => row.category },
    { title: policy, read: (row) => String(row.before) },
    { title: against, read: (row) => String(row.after) },
    { title: 'added', read: (row) => String(row.added) },
    { title: 'removed', read: (row) => String(row.removed) },
  ]
}

const changedColumns: readonly Column<ChangedRow>[] = [
  { title: 'line', read: (row) => String(row.line) },
  { title: 'side', read: (row) => row.source },
  { title: 'change', read: (row) => changeNames[row.change] },
  { title: 'before', read: (row) => row.before.join(', ') || '-' },
  { title: 'after', read: (row) => row.after.join(', ') || '-' },
  { title: 'text', read: (row) => (row.text === undefined ? '' : shorten(row.text, 60)), isOptional: true },
]

function plural(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`
}
