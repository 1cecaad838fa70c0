import { type Command, InvalidArgumentError, Option } from 'commander'
import { Fault } from '../../../core/fault.ts'
import { type FilterCategory, severityLevels } from '../../../core/filter/categories.ts'
import { formatScores, type Labels, type ScoreThreshold, scoreLines } from '../../../core/filter/score.ts'
import type { CommandContext } from '../../context.ts'
import { openManagementClient } from '../../management-client.ts'
import { shorten } from '../../terminal/excerpt.ts'
import { type Column, printData, printRows } from '../../terminal/print.ts'
import { type AskedText, analyzeTexts, isJudged } from './analyze.ts'
import { type LabelledText, readFound, readLabelled } from './labels.ts'
import { type Numbered, readLines } from './read-lines.ts'

/** `ponto filter eval`: how good the engines of a policy are, on texts that somebody has labelled. */
export function defineEval(command: Command, context: CommandContext): void {
  command
    .description('how much of what is labelled a policy finds, and how much else it stops')
    .argument('<file>', 'a JSON object on each line; - for standard input')
    .requiredOption('--policy <name>', 'whose engines are asked, in any case')
    .addOption(
      new Option('--threshold <level>', 'from which severity on a text counts as filtered')
        .choices(severityLevels.slice(1))
        .default('medium'),
    )
    .option('--failures <number>', 'list so many of the lines that were judged wrongly', parseCount, 0)
    .addHelpText(
      'after',
      `
Lines are {"text": "...", "labels": {"hate": "medium", "jailbreak": true}, "source": "Prompt" or "Completion"}. Labels are
low, medium or high, or true where there are no levels; a text in which nothing is has the labels {}. A line may have a
"kind", and those of answers the "prompt" and "documents" they are about.

The threshold here counts, not that of the policy, and filters that only annotate count too. What the policy does not look
for is missed. Where any line is labelled with indirect_attack, which is looked for in documents, prompts are judged as
documents too.

  precision      of the texts that it filters, the share that is labelled so
  recall         of the texts that are labelled so, the share that it filters
  over-blocking  of the texts without any label, the share that it filters all the same

Examples:
  ponto filter eval labelled.jsonl --policy strict
  ponto filter eval labelled.jsonl --policy strict --threshold low --failures 20
  ponto filter eval labelled.jsonl --policy strict --output json | jq '.scores[] | {category, recall}'`,
    )
    .action(async (file: string) => {
      const { policy, threshold, failures } = command.opts()
      const lines = await readLines(context, file, readLabelled)
      const client = openManagementClient(context)
      const analysis = await analyzeTexts(context, client, policy, listAsked(lines), 'lines')
      const judged: Judged[] = []
      let reason: string | undefined
      let withoutEngine = 0
      for (const [index, { line, value }] of lines.entries()) {
        const answer = analysis.value[index]
        if (!answer || !isJudged(answer)) {
          reason ??= answer?.error.message ?? 'The server gave no answer for it.'
          continue
        }
        if (answer.results.error !== undefined) withoutEngine++
        judged.push({ ...value, line, found: readFound(answer.results) })
      }
      if (judged.length === 0) throw new Fault('upstream-failed', `No line could be judged: ${reason}`)
      await printEvaluation(context, {
        file,
        policy: analysis.policy,
        builtin: analysis.builtin,
        threshold,
        judged,
        failures,
        notJudged: { lines: lines.length - judged.length, reason },
        withoutEngine,
        notLookedFor: countNotLookedFor(judged),
      })
    })
}

function parseCount(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number: 0, 1, 2, ...')
}

function listAsked(lines: readonly Numbered<LabelledText>[]): AskedText[] {
  const isAboutDocuments = lines.some(({ value }) => value.labels.indirect_attack !== undefined)
  return lines.map(({ value: { asked } }) =>
    isAboutDocuments && asked.source === 'Prompt'
      ? { ...asked, documents: [asked.text, ...(asked.documents ?? [])] }
      : asked,
  )
}

type Judged = LabelledText & { readonly line: number; readonly found: Labels }

type Evaluation = {
  readonly file: string
  readonly policy: string
  readonly builtin: string
  readonly threshold: ScoreThreshold
  readonly judged: readonly Judged[]
  /** How many failures are listed at most. */
  readonly failures: number
  readonly notJudged: { readonly lines: number; readonly reason: string | undefined }
  /** Lines that some engine did not answer for. */
  readonly withoutEngine: number
  readonly notLookedFor: readonly NotLookedFor[]
}

async function printEvaluation(context: CommandContext, evaluation: Evaluation): Promise<void> {
  const { file, policy, builtin, threshold, judged, notJudged, withoutEngine, notLookedFor } = evaluation
  const scores = scoreLines(judged, threshold)
  const kinds = countKinds(judged, threshold)
  const wrong = judged.flatMap((line) => listFailures(line, threshold))
  const failures = wrong.slice(0, evaluation.failures)
  const document = {
    file,
    policy,
    builtin,
    threshold,
    lines: judged.length,
    scores,
    ...(kinds.length > 0 ? { kinds } : {}),
    notLookedFor,
    notJudged: notJudged.lines,
    withoutEngine,
    wrong: wrong.length,
    failures,
  }
  if (await printData(context, document)) return
  const say = (text: string) => context.stdout.write(`${text}\n`)
  say(
    `${file}: ${count(judged.length, 'line')}, policy ${policy}, threshold ${threshold}, built-in engine ${builtin}\n`,
  )
  say(formatScores(scores))
  if (kinds.length > 0) {
    say('')
    printRows(context, kinds, kindColumns, '')
  }
  if (notLookedFor.length > 0) say('')
  for (const { category, lines } of notLookedFor) {
    say(`${policy} does not look for ${category} on that side: ${count(lines, 'labelled line')} missed.`)
  }
  if (withoutEngine > 0) {
    say(`\nFor ${count(withoutEngine, 'line')} not every engine answered: the policy says less than it would.`)
  }
  if (notJudged.lines > 0)
    say(`\n${count(notJudged.lines, 'line')} could not be judged and do not count: ${notJudged.reason}`)
  if (failures.length > 0) {
    say(
      `\n${count(wrong.length, 'judgement')} wrong${wrong.length > failures.length ? `, the first ${failures.length}` : ''}:\n`,
    )
    printRows(context, failures, failureColumns, '')
  }
}

type Failure = {
  readonly line: number
  readonly category: FilterCategory
  readonly kind: 'missed' | 'false alarm'
  readonly labelled: string
  readonly found: string
  readonly text: string
}

const failureColumns: readonly Column<Failure>[] = [
  { title: 'line', read: (row) => String(row.line) },
  { title: 'category', read: (row) => row.category },
  { title: 'what', read: (row) => row.kind },
  { title: 'labelled', read: (row) => row.labelled },
  { title: 'found', read: (row) => row.found },
  { title: 'text', read: (row) => shorten(row.text, 70) },
]

function listFailures({ line, labels, found, asked }: Judged, threshold: ScoreThreshold): Failure[] {
  const categories = [...new Set([...Object.keys(labels), ...Object.keys(found)])] as FilterCategory[]
  return categories.flatMap((category): Failure[] => {
    const [isLabelled, isFound] = [reaches(labels[category], threshold), reaches(found[category], threshold)]
    if (isLabelled === isFound) return []
    return [
      {
        line,
        category,
        kind: isLabelled ? 'missed' : 'false alarm',
        labelled: describeLabel(labels[category]),
        found: describeLabel(found[category]),
        text: asked.text,
      },
    ]
  })
}

function reaches(label: Labels[FilterCategory], threshold: ScoreThreshold): boolean {
  if (typeof label !== 'string') return label === true
  return severityLevels.indexOf(label) >= severityLevels.indexOf(threshold)
}

function describeLabel(label: Labels[FilterCategory]): string {
  if (typeof label === 'string') return label
  return label ? 'yes' : '-'
}

type Kind = { readonly kind: string; readonly lines: number; readonly filtered: number }

const kindColumns: readonly Column<Kind>[] = [
  { title: 'kind', read: (row) => row.kind },
  { title: 'lines', read: (row) => String(row.lines) },
  { title: 'filtered', read: (row) => String(row.filtered) },
]

/** How many lines of each kind are filtered; empty where no line has one. */
function countKinds(judged: readonly Judged[], threshold: ScoreThreshold): Kind[] {
  const kinds = [...new Set(judged.flatMap(({ kind }) => (kind === undefined ? [] : [kind])))].sort()
  return kinds.map((kind) => {
    const lines = judged.filter((line) => line.kind === kind)
    const filtered = lines.filter(({ found }) => Object.values(found).some((label) => reaches(label, threshold)))
    return { kind, lines: lines.length, filtered: filtered.length }
  })
}

type NotLookedFor = { readonly category: string; readonly lines: number }

/** Labelled lines that are missed since the policy has no filter for it on their side, which is no fault of any engine. */
function countNotLookedFor(judged: readonly Judged[]): NotLookedFor[] {
  const counts = new Map<string, number>()
  for (const { labels, found } of judged) {
    for (const [category, label] of Object.entries(labels)) {
      const isThere = label !== false && label !== 'safe'
      if (isThere && !(category in found)) counts.set(category, (counts.get(category) ?? 0) + 1)
    }
  }
  return [...counts].sort().map(([category, lines]) => ({ category, lines }))
}

function count(number: number, noun: string): string {
  return `${number.toLocaleString('en-US')} ${noun}${number === 1 ? '' : 's'}`
}
