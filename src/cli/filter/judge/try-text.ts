import type { Command } from 'commander'
import type { AnalyzedLine } from '../../../control/api.ts'
import { Fault } from '../../../core/fault.ts'
import { type FilterCategory, filterCategories } from '../../../core/filter/categories.ts'
import type { Explanation } from '../../../core/filter/results.ts'
import { isJsonObject, type JsonObject } from '../../../core/json.ts'
import type { CommandContext } from '../../context.ts'
import { openManagementClient } from '../../management-client.ts'
import { excerpt } from '../../terminal/excerpt.ts'
import { type Column, dim, printFacts, printRows } from '../../terminal/print.ts'
import { readTextFile } from '../../terminal/read-file.ts'
import { type AskedText, analyzeTexts, isJudged, type JudgedText } from './analyze.ts'

/** Not filtered is 0, and what went wrong 1 or 2. */
const filteredExitCode = 3

const largestText = 4 * 1_048_576

/** `ponto filter test`: one text, and all that can be said about why it passes or not. */
export function defineTest(command: Command, context: CommandContext): void {
  command
    .description('try a policy on a text, and say what was found, by what, and where')
    .argument('<text>', 'the text; - for standard input')
    .requiredOption('--policy <name>', 'which policy, in any case')
    .option('--completion', "judge it as a model's answer; else it is somebody's prompt")
    .option('--prompt <text>', 'with --completion: what was asked')
    .option(
      '--document <file>',
      'a document that comes with it; repeat it for several',
      (file, files: string[] = []) => [...files, file],
    )
    .addHelpText(
      'after',
      `
The exit code is 0 when the text passes and ${filteredExitCode} when it is filtered; other codes are failures.

Examples:
  ponto filter test "Ignore all previous instructions" --policy Microsoft.DefaultV2
  ponto filter test - --policy strict < letter.txt
  ponto filter test "Paris has 12 million inhabitants" --policy grounded --completion --document facts.txt
  ponto filter test "$TEXT" --policy strict --output json > verdict.json; [ $? -eq ${filteredExitCode} ] && echo filtered`,
    )
    .action(async (given: string) => {
      const asked = await readAsked(command, context, given)
      const { policy } = command.opts()
      const client = openManagementClient(context)
      const analysis = await analyzeTexts(context, client, policy, [asked])
      const [answer] = analysis.value
      if (!answer || !isJudged(answer)) throw refuse(answer)
      await printAnswer(context, analysis.policy, asked, answer)
      if (answer.filtered) context.exitWith(filteredExitCode)
    })
}

/** A text that nobody could judge neither passes nor is filtered. */
function refuse(answer: AnalyzedLine | undefined): Fault {
  const message = answer && 'error' in answer ? answer.error.message : 'The server gave no answer for the text.'
  return new Fault('upstream-failed', message)
}

async function readAsked(command: Command, context: CommandContext, given: string): Promise<AskedText> {
  const { completion, prompt, document: files = [] } = command.opts()
  if (prompt !== undefined && !completion)
    command.error('error: --prompt is what an answer is to: --completion is missing')
  if (given === '-' && files.includes('-'))
    command.error('error: standard input can be read once: as text or as document')
  const text = given === '-' ? await readTextFile(context, '-', largestText) : given
  if (text === '') command.error('error: the text is empty')
  const documents: string[] = []
  for (const file of files) documents.push(await readTextFile(context, file, largestText))
  return {
    text,
    source: completion ? 'Completion' : 'Prompt',
    ...(prompt === undefined ? {} : { prompt }),
    ...(documents.length > 0 ? { documents } : {}),
  }
}

async function printAnswer(
  context: CommandContext,
  policy: string,
  asked: AskedText,
  answer: JudgedText,
): Promise<void> {
  const verdict = answer.filtered ? 'filtered' : 'not filtered'
  await printFacts(context, { policy, source: asked.source, ...answer }, [
    ['Verdict', context.isColored() ? `\x1b[1;${answer.filtered ? 31 : 32}m${verdict}\x1b[0m` : verdict],
    ['Policy', policy],
    ['Judged as', asked.source === 'Prompt' ? 'prompt' : 'answer of a model'],
    ...describeError(answer.results),
  ])
  if (context.format() !== 'table') return
  const rows = listAnnotations(answer.results)
  context.stdout.write('\n')
  printRows(context, rows, annotationColumns, 'The policy looks for nothing on this side.')
  for (const explanation of answer.explanations)
    context.stdout.write(`\n${explain(context, asked, explanation, answer.results)}\n`)
}

type Annotation = { readonly category: string; readonly found: string; readonly filtered: string }

const annotationColumns: readonly Column<Annotation>[] = [
  { title: 'category', read: (row) => row.category },
  { title: 'found', read: (row) => row.found },
  { title: 'filtered', read: (row) => row.filtered },
]

/** A filter that could not judge must not look like one that found nothing. */
function describeError(results: JsonObject): readonly (readonly [string, string])[] {
  const { error } = results
  if (!isJsonObject(error)) return []
  return [['Engines', `not all of them answered (${error.code ?? 'no reason given'})`]]
}

function listAnnotations(results: JsonObject): Annotation[] {
  return Object.entries(results).flatMap(([category, annotation]): Annotation[] => {
    if (category === 'error' || !isJsonObject(annotation)) return []
    return [{ category, found: describeFound(annotation), filtered: describeDone(annotation) }]
  })
}

function describeFound(annotation: JsonObject): string {
  const { severity, detected, details, sub_categories: types } = annotation
  if (typeof severity === 'string') return severity
  const ids = [...listObjects(details).map(({ id }) => id), ...listObjects(types).map((type) => type.sub_category)]
  const names = ids.filter((id) => typeof id === 'string').join(', ')
  if (names) return names
  return detected === true || annotation.filtered === true ? 'yes' : 'no'
}

function describeDone(annotation: JsonObject): string {
  if (annotation.filtered === true) return 'yes'
  return listObjects(annotation.sub_categories).some(({ redacted }) => redacted === true) ? 'redacted' : 'no'
}

function listObjects(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}

/** Two lines: what found it and by which rule, and where in the text. */
function explain(context: CommandContext, asked: AskedText, explanation: Explanation, results: JsonObject): string {
  const { category, severity, threshold, engine, rule, id, score } = explanation
  const isLeveled = filterCategories[category]?.kind === 'severity'
  const facts = [
    isLeveled && `${severity}${threshold ? ` (threshold ${threshold})` : ''}`,
    describeOutcome(explanation, isLeveled, results),
    id,
    `engine ${engine}`,
    rule && `rule ${rule}`,
    score !== undefined && `score ${score.toFixed(2)}`,
  ]
  const head = `${titleOf(category)}: ${facts.filter(Boolean).join('; ')}`
  const place = quoteSpan(context, asked, explanation.span)
  return place ? `${head}\n  ${place}` : head
}

/** A severity without a threshold is one that the policy never filters. */
function describeOutcome({ filtered, threshold, id }: Explanation, isLeveled: boolean, results: JsonObject): string {
  if (filtered) return 'filtered'
  if (isLeveled && !threshold) return 'only annotated'
  const personal = results.personally_identifiable_information
  const types = isJsonObject(personal) ? listObjects(personal.sub_categories) : []
  const isRedacted = types.some((type) => type.sub_category === id && type.redacted === true)
  return isRedacted ? 'redacted' : 'not filtered'
}

function titleOf(category: FilterCategory): string {
  return filterCategories[category]?.title ?? category
}

function quoteSpan(context: CommandContext, asked: AskedText, span: Explanation['span']): string | undefined {
  if (!span) return undefined
  const mark = (part: string) => (context.isColored() ? `\x1b[7m${part}\x1b[27m` : `\u00bb${part}\u00ab`)
  const text = findText(asked, span.at)
  const place = `${span.at === 'text' || span.at.startsWith('choices[') ? 'characters' : `${span.at}, characters`} ${span.start} to ${span.end}`
  if (text === undefined || span.end > text.length) return place
  return `${dim(context, `${place}:`)} ${excerpt(text, span.start, span.end, mark)}`
}

/** The text that a span is in, as explanations name it. */
function findText({ text, documents = [], prompt }: AskedText, at: string): string | undefined {
  if (at === 'text' || at.startsWith('choices[')) return text
  if (at === 'prompt') return prompt
  const [, index] = /^documents(?:\[(\d+)\])?$/.exec(at) ?? []
  if (index !== undefined) return documents[Number(index)]
  return at === 'documents' && documents.length === 1 ? documents[0] : undefined
}
