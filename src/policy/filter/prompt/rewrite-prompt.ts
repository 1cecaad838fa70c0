import type { Call, ChatCall, CompletionCall, ContentPart, Message } from '../../../core/call.ts'
import type { Event } from '../../../core/event.ts'
import type { AnswerResult, ChoicePiece } from '../../../core/result.ts'
import type { Direction } from '../direction.ts'
import type { ChoiceEvent } from '../gate/text-events.ts'
import { escapeJson, openRestorer, type Restorer, redactTexts } from '../pii/redact.ts'
import { openRedactionBook, type RedactionBook } from '../pii/redaction-book.ts'
import type { PiiRule } from '../plan.ts'
import { spotlight } from './documents.ts'

/** A prompt that the model gets in other words, and how its answer becomes one to what the caller wrote. */
export type Rewritten = {
  readonly call: Call
  restoreResult(result: AnswerResult): AnswerResult
  restoreEvents(events: AsyncIterable<Event>): AsyncIterable<Event>
}

/**
 * The call without the personal data that the policy makes unreadable, and with its documents encoded where the policy says so; undefined
 * where it stays as it is. Personal data is looked for in the content and calls of every message, whatever else is
 * judged, since earlier turns repeat it; not in definitions of tools, names, and parts that are known to one protocol only.
 */
export function rewritePrompt(call: Call, { plan, pii: rule, redacts }: Direction): Rewritten | undefined {
  const pii = redacts ? rule : undefined
  const encodes = plan.spotlighting && call.kind === 'chat'
  if (!pii && !encodes) return undefined
  if (call.kind !== 'chat' && call.kind !== 'completion') return pii && rewritePassed(call, pii)
  const book = openRedactionBook(textsOf(call))
  let hasChanged = false
  const rewrite: Rewrite = (texts, isUser) => {
    const redacted = pii ? redact(texts, pii, book) : texts
    const written = encodes && isUser ? spotlightAll(redacted) : redacted
    hasChanged ||= written.some((text, place) => text !== texts[place])
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

/** The prompt of a call that is passed on: what comes back is no text. */
function rewritePassed(call: Exclude<Call, ChatCall | CompletionCall>, pii: PiiRule): Rewritten | undefined {
  const { source } = call
  const prompt = source?.body.prompt
  if (!source || typeof prompt !== 'string') return undefined
  const [written] = redact([prompt], pii, openRedactionBook([prompt]))
  if (written === undefined || written === prompt) return undefined
  const body = { ...source.body, prompt: written }
  return {
    call: { ...call, source: { ...source, body, text: JSON.stringify(body) } },
    restoreResult: (result) => result,
    restoreEvents: (events) => events,
  }
}

/** Texts that follow each other are read as one. */
function redact(texts: readonly string[], pii: PiiRule, book: RedactionBook): readonly string[] {
  const matches = pii.find(texts.join('')).filter(({ type }) => pii.actions.get(type) === 'redact')
  return matches.length === 0 ? texts : redactTexts(texts, matches, book)
}

/** A document that goes on in the next text is encoded with its beginning. */
function spotlightAll(texts: readonly string[]): readonly string[] {
  if (texts.length === 1) return texts.map(spotlight)
  const whole = texts.join('')
  const written = spotlight(whole)
  return written === whole ? texts : [written, ...texts.slice(1).map(() => '')]
}

/** The texts of one message, in their order. */
type Rewrite = (texts: readonly string[], isUser: boolean) => readonly string[]

const rewriteOne = (rewrite: Rewrite, text: string, isUser: boolean): string => rewrite([text], isUser)[0] ?? ''

function rewriteChat(call: ChatCall, rewrite: Rewrite): ChatCall {
  return { ...call, messages: call.messages.map((message) => rewriteMessage(message, rewrite)) }
}

function rewriteMessage(message: Message, rewrite: Rewrite): Message {
  const { content, toolCalls, role } = message
  const isUser = role === 'user'
  return {
    ...message,
    content:
      typeof content === 'string' ? rewriteOne(rewrite, content, isUser) : rewriteParts(content, rewrite, isUser),
    toolCalls: toolCalls?.map((one) => ({ ...one, arguments: rewriteOne(rewrite, one.arguments, false) })),
  }
}

function rewriteParts(
  parts: readonly ContentPart[] | null,
  rewrite: Rewrite,
  isUser: boolean,
): readonly ContentPart[] | null {
  const texts = (parts ?? []).flatMap(textOfPart)
  if (!parts || texts.length === 0) return parts
  const written = rewrite(texts, isUser)
  let place = 0
  return (
    parts
      .map((part) => (part.type === 'text' ? { ...part, text: written[place++] ?? '' } : part))
      // Models refuse a text that is none.
      .filter((part) => part.type !== 'text' || part.text !== '')
  )
}

function rewriteCompletion(call: CompletionCall, rewrite: Rewrite): CompletionCall {
  return {
    ...call,
    prompts: call.prompts.map((prompt) => (typeof prompt === 'string' ? rewriteOne(rewrite, prompt, true) : prompt)),
    suffix: call.suffix === undefined ? undefined : rewriteOne(rewrite, call.suffix, false),
  }
}

/** Every text of a call: no placeholder may be one that the caller wrote. */
function textsOf(call: ChatCall | CompletionCall): readonly string[] {
  if (call.kind === 'completion') {
    return [...call.prompts, call.suffix].filter((text) => typeof text === 'string')
  }
  return call.messages.flatMap(({ content, toolCalls = [] }) => {
    const said = typeof content === 'string' ? [content] : (content ?? []).flatMap(textOfPart)
    return [...said, ...toolCalls.map((one) => one.arguments)]
  })
}

function textOfPart(part: ContentPart): readonly string[] {
  return part.type === 'text' ? [part.text] : []
}

function restoreResult(result: AnswerResult, book: RedactionBook): AnswerResult {
  const restore = (text: string, write?: (original: string) => string): string => {
    const restorer = openRestorer(book, write)
    return restorer.feed(text) + restorer.end()
  }
  return {
    ...result,
    choices: result.choices.map((choice) => ({
      ...choice,
      text: choice.text === null ? null : restore(choice.text),
      reasoning: choice.reasoning && restore(choice.reasoning),
      refusal: choice.refusal && restore(choice.refusal),
      toolCalls: choice.toolCalls?.map((call) => ({ ...call, arguments: restore(call.arguments, escapeJson) })),
      ...(choice.pieces && { pieces: restorePieces(choice.pieces, choice.index, book) }),
    })),
  }
}

async function* restoreEvents(events: AsyncIterable<Event>, book: RedactionBook): AsyncGenerator<Event> {
  const restore = openEventRestorer(book)
  for await (const event of events) yield* restore(event)
}

function restorePieces(pieces: readonly ChoicePiece[], choice: number, book: RedactionBook): readonly ChoicePiece[] {
  const restore = openEventRestorer(book)
  const end: Event = { type: 'choice-end', choice, reason: 'stop' }
  return [...pieces, end]
    .flatMap((event) => [...restore(event)])
    .filter((event) => event.type !== 'choice-end') as ChoicePiece[]
}

/** What a restorer holds back is the beginning of a placeholder; it goes out with what comes next, at the latest before the choice ends. */
function openEventRestorer(book: RedactionBook): (event: Event) => Generator<Event> {
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
  return function* restore(event) {
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
