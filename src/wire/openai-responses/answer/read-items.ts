import type { TokenLogprob } from '../../../core/event.ts'
import { asNumber, isJsonObject, type Json, type JsonObject, pickUnknown } from '../../../core/json.ts'
import type { ChoicePiece } from '../../../core/result.ts'
import { wireName } from '../schema.ts'

/**
 * Items of an answer as canonical events. What only this protocol has a word for goes along as `message-rest`, for a caller of this
 * protocol: `item` is an item that begins, without what canonical events say of it, or the whole of one that they do not know; `sealed` is
 * what only the serving model can read of the thoughts before it, `annotation` one of the text before it.
 */
export type ItemPiece = ChoicePiece | { readonly type: 'refusal-delta'; readonly choice: number; readonly text: string }

type OpenItem = { readonly index: number; said: string }

export type ItemReader = {
  start(place: Json | undefined, item: JsonObject): Generator<ItemPiece>
  text(place: Json | undefined, text: Json | undefined, logprobs: Json | undefined): Generator<ItemPiece>
  refusal(place: Json | undefined, text: Json | undefined): Generator<ItemPiece>
  thought(place: Json | undefined, text: Json | undefined): Generator<ItemPiece>
  arguments(place: Json | undefined, text: Json | undefined): Generator<ItemPiece>
  annotation(annotation: Json | undefined): Generator<ItemPiece>
  /** With the item as it is now, of which everything is told that was not yet. */
  done(place: Json | undefined, item: JsonObject): Generator<ItemPiece>
  /** All items of an answer of which nothing else was told. */
  settle(items: readonly JsonObject[]): Generator<ItemPiece>
  readonly hasCalls: boolean
}

const named: ReadonlySet<Json | undefined> = new Set(['message', 'reasoning', 'function_call'])
/** Fields that canonical events tell, or that say how far an item has come. */
const toldFields: ReadonlySet<string> = new Set([
  'content',
  'summary',
  'arguments',
  'name',
  'call_id',
  'status',
  'role',
  'encrypted_content',
])

/** `carriesRest` is whether the caller speaks this protocol; without, events are only those of the canonical form. */
export function openItemReader(carriesRest: boolean): ItemReader {
  const open = new Map<Json | undefined, OpenItem>()
  let callCount = 0
  let isTold = false

  function* carry(fields: JsonObject, isWhole = false): Generator<ItemPiece> {
    if (carriesRest) yield { type: 'message-rest', choice: 0, rest: { wire: wireName, fields }, isWhole }
  }
  function* say(item: OpenItem | undefined, text: Json | undefined, logprobs?: Json): Generator<ItemPiece> {
    const tokens = readLogprobs(logprobs)
    if (typeof text !== 'string' || (text === '' && !tokens)) return
    if (item) item.said += text
    yield { type: 'text-delta', choice: 0, text, ...(tokens && { logprobs: tokens }) }
  }
  function* think(item: OpenItem | undefined, text: Json | undefined): Generator<ItemPiece> {
    if (typeof text !== 'string' || text === '') return
    if (item) item.said += text
    yield { type: 'reasoning-delta', choice: 0, text }
  }
  function* refuse(item: OpenItem | undefined, text: Json | undefined): Generator<ItemPiece> {
    if (typeof text !== 'string' || text === '') return
    if (item) item.said += text
    yield { type: 'refusal-delta', choice: 0, text }
  }
  function* argue(item: OpenItem | undefined, text: Json | undefined): Generator<ItemPiece> {
    if (!item || typeof text !== 'string' || text === '') return
    item.said += text
    yield { type: 'tool-call-delta', choice: 0, index: item.index, arguments: text }
  }

  function* start(place: Json | undefined, item: JsonObject): Generator<ItemPiece> {
    const { type } = item
    isTold = true
    if (!named.has(type) || open.has(place)) return
    open.set(place, { index: type === 'function_call' ? callCount++ : 0, said: '' })
    yield* carry({ item: pickUnknown(item, toldFields) ?? {} })
    if (type !== 'function_call') return
    yield {
      type: 'tool-call-start',
      choice: 0,
      index: callCount - 1,
      id: asText(item.call_id) || asText(item.id),
      name: asText(item.name),
    }
  }

  function* done(place: Json | undefined, item: JsonObject): Generator<ItemPiece> {
    yield* start(place, item)
    if (!named.has(item.type)) {
      yield* carry({ item }, true)
      return
    }
    const known = open.get(place)
    if (!known) return
    if (item.type === 'function_call') {
      // Elsewhere the arguments of a call without any are an empty object, never an empty text.
      if (known.said === '') yield* argue(known, asText(item.arguments) || '{}')
    } else if (item.type === 'message') {
      if (known.said === '') yield* tellContent(known, item.content)
    } else {
      if (known.said === '') yield* think(known, readThoughts(item))
      const { encrypted_content } = item
      if (typeof encrypted_content === 'string') yield* carry({ sealed: { encrypted_content } })
    }
  }
  function* tellContent(known: OpenItem, content: Json | undefined): Generator<ItemPiece> {
    for (const part of listObjects(content)) {
      if (part.type === 'refusal') yield* refuse(known, part.refusal)
      else yield* say(known, part.text, part.logprobs)
      for (const annotation of listObjects(part.annotations)) yield* carry({ annotation }, true)
    }
  }

  return {
    start,
    done,
    *settle(items) {
      if (isTold) return
      for (const [place, item] of items.entries()) yield* done(place, item)
    },
    *text(place, text, logprobs) {
      yield* say(open.get(place), text, logprobs)
    },
    *refusal(place, text) {
      yield* refuse(open.get(place), text)
    },
    *thought(place, text) {
      yield* think(open.get(place), text)
    },
    *arguments(place, text) {
      yield* argue(open.get(place), text)
    },
    *annotation(annotation) {
      if (annotation !== undefined) yield* carry({ annotation }, true)
    },
    get hasCalls() {
      return callCount > 0
    },
  }
}

/** What stands between the parts of a summary when they are one text. */
export const betweenThoughts = '\n\n'

function readThoughts({ summary, content }: JsonObject): string {
  const texts = [...listObjects(content), ...listObjects(summary)].map(({ text }) => asText(text))
  return texts.filter((text) => text !== '').join(betweenThoughts)
}

function readLogprobs(logprobs: Json | undefined): TokenLogprob[] | undefined {
  const tokens = listObjects(logprobs)
  if (tokens.length === 0) return undefined
  return tokens.map((token) => ({ ...readToken(token), top: listObjects(token.top_logprobs).map(readToken) }))
}

function readToken(token: JsonObject): { token: string; logprob: number; bytes: number[] | null } {
  return {
    token: asText(token.token),
    logprob: asNumber(token.logprob) ?? 0,
    bytes: Array.isArray(token.bytes) ? (token.bytes as number[]) : [...new TextEncoder().encode(asText(token.token))],
  }
}

export function listObjects(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : []
}

export function asText(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}
