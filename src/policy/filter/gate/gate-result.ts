import type { FilterResults } from '../../../core/filter/results.ts'
import type { AnswerResult, Choice } from '../../../core/result.ts'
import { type Ledger, openLedger } from '../ledger.ts'
import type { PiiMatch } from '../plan.ts'
import { textsIn } from '../prompt/read-prompt.ts'
import { scanText } from '../scan.ts'
import type { ChoiceGateOptions } from './choice-gate.ts'
import { openJsonText } from './json-text.ts'
import { type AnswerContext, createWindowJudge, needsWindows } from './judge-window.ts'
import { cleanLogprobs } from './logprobs.ts'

export type GateResultOptions = Pick<ChoiceGateOptions, 'context' | 'isJson' | 'isExplained' | 'writeRedaction'> & {
  readonly promptFilter: FilterResults | undefined
  onChoiceOver(ledger: Ledger, choice: number): void
}

/**
 * A whole answer, every choice of it judged by everything it says anywhere. One that is kept back has no text any more, and the reason
 * `content_filter`. Rejects with Fault `filter-unavailable` as a judge does.
 */
export async function gateResult(result: AnswerResult, options: GateResultOptions): Promise<AnswerResult> {
  const ledgers = result.choices.map(() => openLedger(options.context.direction))
  const choices: Choice[] = []
  for (const [place, choice] of result.choices.entries()) {
    const ledger = ledgers[place] as Ledger
    choices.push(gateChoice(choice, ledger, options))
  }
  if (needsWindows(options.context)) {
    await Promise.all(choices.map((choice, place) => judgeSlowly(choice, ledgers[place] as Ledger, options.context)))
  }
  const explanations = options.isExplained ? ledgers.flatMap((ledger) => ledger.explanations) : []
  return {
    ...result,
    ...(options.promptFilter && { promptFilter: options.promptFilter }),
    ...(explanations.length > 0 && { explanations }),
    choices: choices.map((choice, place) => {
      const ledger = ledgers[place] as Ledger
      options.onChoiceOver(ledger, choice.index)
      return ledger.isFiltered ? keptBack(choice, ledger) : { ...choice, filter: ledger.results() }
    }),
  }
}

function keptBack({ index }: Choice, ledger: Ledger): Choice {
  return { index, text: null, finishReason: 'content_filter', filter: ledger.results() }
}

/** Judged by everything that answers at once, and with personal data made unreadable. */
function gateChoice(choice: Choice, ledger: Ledger, options: GateResultOptions): Choice {
  const { direction } = options.context
  const at = `choices[${choice.index}]`
  let hasEdits = false
  const scan = (name: string, text: string | null | undefined): string | undefined => {
    if (text === null || text === undefined || text === '') return undefined
    const matches = scanText(direction, { role: 'assistant', text }, `${at}.${name}`, ledger)
    if (matches.length === 0) return undefined
    hasEdits = true
    return redact(text, matches, options.writeRedaction)
  }
  const text = scan('text', choice.text)
  if (options.isJson && choice.text?.includes('\\')) scan('text', unescapeJson(choice.text))
  const reasoning = scan('reasoning', choice.reasoning)
  const refusal = scan('refusal', choice.refusal)
  const toolCalls = choice.toolCalls?.map((call, place) => {
    scan('tool_calls', call.name)
    const written = scanArguments(call.arguments, (decoded) => scan(`tool_calls[${place}].arguments`, decoded))
    return written === undefined ? call : { ...call, arguments: written }
  })
  if (choice.messageRest) scan('message', textsIn(choice.messageRest.fields).join('\n'))
  const tokens = choice.logprobs?.map(({ token }) => token).join('')
  if (tokens !== undefined && tokens !== choice.text) scan('logprobs', tokens)
  return {
    ...choice,
    text: text ?? choice.text,
    reasoning: reasoning ?? choice.reasoning,
    refusal: refusal ?? choice.refusal,
    toolCalls,
    logprobs: hasEdits ? undefined : cleanLogprobs(choice.logprobs, direction),
  }
}

/** The arguments as they go out, where the text in them had to be changed. */
function scanArguments(raw: string, scan: (decoded: string) => string | undefined): string | undefined {
  if (!raw.includes('\\')) return scan(raw)
  const changed = scan(unescapeJson(raw))
  return changed === undefined ? undefined : rewriteStrings(raw, scan)
}

/** JSON with every string in it judged by itself; text that is no JSON is refused as a whole by those who read it, and goes out empty. */
function rewriteStrings(raw: string, scan: (text: string) => string | undefined): string {
  try {
    return JSON.stringify(
      JSON.parse(raw, (_key, value: unknown) => (typeof value === 'string' ? (scan(value) ?? value) : value)),
    )
  } catch {
    return ''
  }
}

function unescapeJson(raw: string): string {
  const reader = openJsonText()
  return reader.read(raw) + reader.end()
}

function redact(text: string, matches: readonly PiiMatch[], write: GateResultOptions['writeRedaction']): string {
  let written = ''
  let at = 0
  for (const match of matches) {
    if (match.start < at) continue
    written += text.slice(at, match.start) + write(match, text.slice(match.start, match.end))
    at = match.end
  }
  return written + text.slice(at)
}

/** Each text of a choice as one window: an engine that takes less at once gets it in parts. */
async function judgeSlowly(choice: Choice, ledger: Ledger, context: AnswerContext): Promise<void> {
  const at = `choices[${choice.index}]`
  const texts: [string, string | null | undefined][] = [
    ['text', choice.text],
    ['reasoning', choice.reasoning],
    ['refusal', choice.refusal],
    ...(choice.toolCalls ?? []).map((call, place): [string, string] => [
      `tool_calls[${place}].arguments`,
      `${call.name} ${unescapeJson(call.arguments)}`,
    ]),
  ]
  await Promise.all(
    texts.map(async ([name, text]) => {
      if (text) await createWindowJudge(context, ledger, `${at}.${name}`)({ text, from: 0, context: 0 })
    }),
  )
}
