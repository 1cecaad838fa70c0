import type { Rest } from '../../../core/call.ts'
import type { FilterResults } from '../../../core/filter/results.ts'
import type { AnswerResult, Choice, ChoicePiece } from '../../../core/result.ts'
import { type Ledger, openLedger } from '../ledger.ts'
import { scanText } from '../scan.ts'
import { gateRest, judgeFields } from './answer-rest.ts'
import type { ChoiceGateOptions } from './choice-gate.ts'
import { type JsonTextReader, openJsonText } from './json-text.ts'
import { createWindowJudge, needsWindows } from './judge-window.ts'
import { cleanLogprobs } from './logprobs.ts'
import { judgedFields, listSaid } from './rest-texts.ts'
import { applyEdits, editsOf, textOf } from './text-events.ts'

export type GateResultOptions = Pick<ChoiceGateOptions, 'context' | 'isJson' | 'isExplained' | 'writeRedaction'> & {
  readonly promptFilter: FilterResults | undefined
  /** Told once of each choice, and of other fields of the answer. */
  onJudged(ledger: Ledger): void
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
    await Promise.all(choices.map((choice, place) => judgeSlowly(choice, ledgers[place] as Ledger, options)))
  }
  const explanations = options.isExplained ? ledgers.flatMap((ledger) => ledger.explanations) : []
  return {
    ...gateRest(result, options),
    ...(options.promptFilter && { promptFilter: options.promptFilter }),
    ...(explanations.length > 0 && { explanations }),
    choices: choices.map((choice, place) => {
      const ledger = ledgers[place] as Ledger
      options.onJudged(ledger)
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
  /** What was changed in each text, as `applyEdits` does it. */
  const changes = new Map<string, (part: string, from: number) => string>()
  /** The text as it goes out. `reader`: of a text within JSON, of which it is judged what it says. */
  const scan = (name: string, raw: string, reader?: JsonTextReader): string => {
    if (raw === '') return raw
    const text = reader ? reader.read(raw) + reader.end() : raw
    // As it is written it may be read too.
    if (text !== raw) scanText(direction, { role: 'assistant', text: raw }, `${at}.${name}`, ledger)
    const matches = scanText(direction, { role: 'assistant', text }, `${at}.${name}`, ledger)
    if (matches.length === 0) return raw
    hasEdits = true
    const edits = editsOf(matches, text, options.writeRedaction)
    const change = (part: string, from: number): string => applyEdits(part, from, edits, reader)
    changes.set(name, change)
    return change(raw, 0)
  }
  const text = choice.text === null ? null : scan('text', choice.text, options.isJson ? openJsonText() : undefined)
  const reasoning = choice.reasoning && scan('reasoning', choice.reasoning)
  const refusal = choice.refusal && scan('refusal', choice.refusal)
  const toolCalls = choice.toolCalls?.map((call, place) => {
    scan('tool_calls', call.name)
    return { ...call, arguments: scan(`tool_calls[${place}].arguments`, call.arguments, openJsonText()) }
  })
  const judgeRest = (rest: Rest | undefined, name: string): Rest | undefined =>
    rest && { ...rest, fields: judgeFields(rest.fields, `${at}.${name}`, ledger, options) }
  const messageRest = judgeRest(choice.messageRest, 'message')
  const rest = judgeRest(choice.rest, 'choice')
  /** How much of each text the pieces before have said. */
  const read = new Map<string, number>()
  const pieces = choice.pieces?.map((piece): ChoicePiece => {
    if (piece.type === 'message-rest') return { ...piece, rest: judgeRest(piece.rest, 'message') ?? piece.rest }
    if (piece.type === 'tool-call-start') return piece
    const name = nameOf(piece)
    const part = textOf(piece)
    const from = read.get(name) ?? 0
    read.set(name, from + part.length)
    const changed = changes.get(name)?.(part, from) ?? part
    return piece.type === 'tool-call-delta' ? { ...piece, arguments: changed } : { ...piece, text: changed }
  })
  const tokens = choice.logprobs?.map(({ token }) => token).join('')
  if (tokens !== undefined && tokens !== choice.text) scan('logprobs', tokens)
  return {
    ...choice,
    text,
    reasoning,
    refusal,
    toolCalls,
    messageRest,
    rest,
    ...(pieces && { pieces }),
    logprobs: hasEdits ? undefined : cleanLogprobs(choice.logprobs, direction),
  }
}

/** The text that a piece is of, as it is judged. */
function nameOf(piece: Exclude<ChoicePiece, { type: 'message-rest' | 'tool-call-start' }>): string {
  if (piece.type === 'tool-call-delta') return `tool_calls[${piece.index}].arguments`
  return piece.type === 'reasoning-delta' ? 'reasoning' : 'text'
}

function unescapeJson(raw: string): string {
  const reader = openJsonText()
  return reader.read(raw) + reader.end()
}

/** Each text of a choice as one window: an engine that takes less at once gets it in parts. */
async function judgeSlowly(choice: Choice, ledger: Ledger, { context, isJson }: GateResultOptions): Promise<void> {
  const at = `choices[${choice.index}]`
  const { text } = choice
  const between = (choice.pieces ?? []).map((piece) => (piece.type === 'message-rest' ? sayFields(piece.rest) : ''))
  const message = [sayFields(choice.messageRest), ...between].filter((said) => said !== '').join('\n')
  const texts: [string, string | null | undefined][] = [
    ['text', text && isJson ? unescapeJson(text) : text],
    ['reasoning', choice.reasoning],
    ['refusal', choice.refusal],
    ...(choice.toolCalls ?? []).map((call, place): [string, string] => [
      `tool_calls[${place}].arguments`,
      `${call.name} ${unescapeJson(call.arguments)}`,
    ]),
    ['message', message],
    ['choice', sayFields(choice.rest)],
  ]
  await Promise.all(
    texts.map(async ([name, text]) => {
      if (text) await createWindowJudge(context, ledger, `${at}.${name}`)({ text, from: 0, context: 0 })
    }),
  )
}

function sayFields(rest: Rest | undefined): string {
  return judgedFields(rest?.fields ?? {})
    .flatMap(([name, value]) => listSaid(value, name))
    .map(({ text }) => text)
    .join('\n')
}
