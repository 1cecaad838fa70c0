import type { Call, ChatCall, CompletionCall, ContentPart, Message } from '../../../core/call.ts'
import type { Event } from '../../../core/event.ts'
import type { AnswerResult } from '../../../core/result.ts'
import type { Direction } from '../direction.ts'
import { escapeJson, openRestorer, type Restorer, redactText } from '../pii/redact.ts'
import { openRedactionBook, type RedactionBook } from '../pii/redaction-book.ts'
import type { FilterPlan, PiiRule } from '../plan.ts'
import { spotlight } from './documents.ts'

/** A prompt that the model gets in other words, and how its answer becomes one to what the caller wrote. */
export type Rewritten = {
  readonly call: Call
  restoreResult(result: AnswerResult): AnswerResult
  restoreEvents(events: AsyncIterable<Event>): AsyncIterable<Event>
}

/**
 * The call without the personal data that the policy makes unreadable, and with its documents encoded where the policy says so; undefined
 * where it stays as it is. Personal data is looked for in every message, whatever else is judged: earlier turns repeat it.
 */
export function rewritePrompt(call: Call, plan: FilterPlan, direction: Direction): Rewritten | undefined {
  if (call.kind !== 'chat' && call.kind !== 'completion') return undefined
  const pii = direction.pii && [...direction.pii.actions.values()].includes('redact') ? direction.pii : undefined
  const encodes = plan.spotlighting && call.kind === 'chat'
  if (!pii && !encodes) return undefined
  const book = openRedactionBook(textsOf(call))
  let hasChanged = false
  const rewrite = (text: string, isUser: boolean): string => {
    const redacted = pii ? redact(text, pii, book) : text
    const written = encodes && isUser ? spotlight(redacted) : redacted
    hasChanged ||= written !== text
    return written
  }
  const written = call.kind === 'chat' ? rewriteChat(call, rewrite) : rewriteCompletion(call, rewrite)
  if (!hasChanged) return undefined
  const restores = pii?.restores === true
  return {
    // Without its source, the call is written anew for whatever upstream it goes to.
    call: { ...written, source: undefined },
    restoreResult: (result) => (restores ? restoreResult(result, book) : result),
    restoreEvents: (events) => (restores ? restoreEvents(events, book) : events),
  }
}

function redact(text: string, pii: PiiRule, book: RedactionBook): string {
  const matches = pii.find(text).filter(({ type }) => pii.actions.get(type) === 'redact')
  return matches.length === 0 ? text : redactText(text, matches, book)
}

type Rewrite = (text: string, isUser: boolean) => string

function rewriteChat(call: ChatCall, rewrite: Rewrite): ChatCall {
  return { ...call, messages: call.messages.map((message) => rewriteMessage(message, rewrite)) }
}

function rewriteMessage(message: Message, rewrite: Rewrite): Message {
  const { content, toolCalls, role } = message
  const isUser = role === 'user'
  const rewritePart = (part: ContentPart): ContentPart =>
    part.type === 'text' ? { ...part, text: rewrite(part.text, isUser) } : part
  return {
    ...message,
    content: typeof content === 'string' ? rewrite(content, isUser) : (content?.map(rewritePart) ?? null),
    toolCalls: toolCalls?.map((one) => ({ ...one, arguments: rewrite(one.arguments, false) })),
  }
}

function rewriteCompletion(call: CompletionCall, rewrite: Rewrite): CompletionCall {
  return {
    ...call,
    prompts: call.prompts.map((prompt) => (typeof prompt === 'string' ? rewrite(prompt, true) : prompt)),
    suffix: call.suffix === undefined ? undefined : rewrite(call.suffix, false),
  }
}

/** Every text of a call: no placeholder may be one that the caller wrote. */
function textsOf(call: ChatCall | CompletionCall): readonly string[] {
  if (call.kind === 'completion') return call.prompts.filter((prompt) => typeof prompt === 'string')
  return call.messages.flatMap(({ content }) => {
    if (typeof content === 'string') return [content]
    return (content ?? []).flatMap((part) => (part.type === 'text' ? [part.text] : []))
  })
}

function restoreResult(result: AnswerResult, book: RedactionBook): AnswerResult {
  const restore = (text: string): string => {
    const restorer = openRestorer(book)
    return restorer.feed(text) + restorer.end()
  }
  return {
    ...result,
    choices: result.choices.map((choice) => ({
      ...choice,
      text: choice.text === null ? null : restore(choice.text),
      reasoning: choice.reasoning && restore(choice.reasoning),
      refusal: choice.refusal && restore(choice.refusal),
      toolCalls: choice.toolCalls?.map((call) => ({ ...call, arguments: restoreJson(call.arguments, book) })),
    })),
  }
}

function restoreJson(text: string, book: RedactionBook): string {
  const restorer = openRestorer(book, escapeJson)
  return restorer.feed(text) + restorer.end()
}

type ChoiceEvent = Extract<Event, { readonly choice: number }>

/** What a restorer holds back is the beginning of a placeholder; it goes out with what comes next, at the latest before the choice ends. */
async function* restoreEvents(events: AsyncIterable<Event>, book: RedactionBook): AsyncGenerator<Event> {
  const lanes = new Map<string, { readonly restorer: Restorer; readonly last: (text: string) => ChoiceEvent }>()
  const laneOf = (
    name: string,
    write: ((original: string) => string) | undefined,
    last: (text: string) => ChoiceEvent,
  ) => {
    const lane = lanes.get(name) ?? { restorer: openRestorer(book, write), last }
    lanes.set(name, lane)
    return lane.restorer
  }
  for await (const event of events) {
    switch (event.type) {
      case 'text-delta':
      case 'reasoning-delta':
      case 'refusal-delta': {
        const { type, choice } = event
        const lane = laneOf(`${choice}/${type}`, undefined, (text) => ({ type, choice, text }))
        const text = lane.feed(event.text)
        if (text !== '' || event.text === '') yield { ...event, text }
        break
      }
      case 'tool-call-delta': {
        const { type, choice, index } = event
        const lane = laneOf(`${choice}/${type}/${index}`, escapeJson, (text) => ({
          type,
          choice,
          index,
          arguments: text,
        }))
        const text = lane.feed(event.arguments)
        if (text !== '') yield { ...event, arguments: text }
        break
      }
      case 'choice-end':
        for (const [name, { restorer, last }] of lanes) {
          if (!name.startsWith(`${event.choice}/`)) continue
          const rest = restorer.end()
          if (rest !== '') yield last(rest)
          lanes.delete(name)
        }
        yield event
        break
      default:
        yield event
    }
  }
}
