import type { Event, FinishReason } from '../../../core/event.ts'
import type { Json, JsonObject } from '../../../core/json.ts'
import { setField } from '../../../core/json.ts'
import type { ItemRow, ItemStatus } from '../../../port/tables/runs/port.ts'
import { type ThoughtShape, writeLogprobs } from '../../../wire/openai-responses/answer/items.ts'
import { type Beside, withBeside } from '../kept-beside.ts'
import type { Course } from './course.ts'
import type { MakeItem } from './make-item.ts'
import { countCharacters, type MarkReader } from './marks.ts'

/** A call that the model asks for, when the turn is over. `item` is undefined for those of hosted tools, which make items of their own. */
export type AskedCall = {
  readonly id: string
  readonly name: string
  readonly arguments: string
  readonly item: ItemRow | undefined
}

export type FoldParts = {
  readonly course: Course
  readonly shape: ThoughtShape
  readonly marks: MarkReader
  /** Whether a function is one of a hosted tool. */
  readonly isHosted: (name: string) => boolean
  readonly makeItem: MakeItem
  /** The step of everything that is called in this turn. */
  readonly callStep: string
  readonly makeStep: () => string
  /** Images that tools have made since the last message. */
  readonly images: readonly string[]
  /** What stands at the end of a message: files that tools made. */
  readonly annotateEnd: (text: string) => readonly JsonObject[]
  readonly now: () => number
}

export type AnswerFold = {
  take(event: Event): void
  /** Ends what is open. `usage` is what the turn has cost. The calls that the model asks for. */
  end(usage: JsonObject | undefined): readonly AskedCall[]
  /** What is open, as it stands. */
  sketch(): readonly ItemRow[]
  readonly reason: FinishReason | undefined
  /** Whether anything has been said, so that it cannot be begun anew. */
  readonly hasBegun: boolean
}

type OpenMessage = {
  item: ItemRow
  readonly index: number
  text: string
  hasText: boolean
  refusal: string
  characters: number
  readonly annotations: JsonObject[]
  readonly marks: string[]
  readonly logprobs: JsonObject[]
}
type OpenThought = { item: ItemRow; readonly index: number; text: string; sealed: JsonObject | undefined }
type OpenCall = {
  readonly id: string
  readonly name: string
  arguments: string
  readonly item: ItemRow | undefined
  readonly index: number
}

/** One answer of the model as items of the run, told as they come. */
export function openAnswerFold(parts: FoldParts): AnswerFold {
  const { course, shape, marks, makeItem, now } = parts
  const calls = new Map<number, OpenCall>()
  const first = course.made.length
  let message: OpenMessage | undefined
  let thought: OpenThought | undefined
  let begun: JsonObject | undefined
  let reason: FinishReason | undefined
  let hasSpoken = false
  let lastDone: ItemRow | undefined

  function openMessage(): OpenMessage {
    if (message) return message
    closeThought()
    hasSpoken = true
    const document = { type: 'message', role: 'assistant', status: 'in_progress', content: [] }
    const extras: Beside = parts.images.length > 0 ? { images: parts.images } : {}
    const item = makeItem('message', 'msg_', document, parts.makeStep(), extras as JsonObject)
    message = {
      item,
      index: course.add(item),
      text: '',
      hasText: false,
      refusal: '',
      characters: 0,
      annotations: [],
      marks: [],
      logprobs: [],
    }
    return message
  }

  function writeText(
    open: OpenMessage,
    text: string,
    logprobs?: Extract<Event, { type: 'text-delta' }>['logprobs'],
  ): void {
    open.text += text
    open.hasText = true
    open.characters += countCharacters(text)
    course.tell({ type: 'text-delta', item: open.item, index: open.index, text, logprobs })
  }

  function annotate(open: OpenMessage, annotation: JsonObject, mark: string): void {
    open.hasText = true
    const at = open.annotations.length
    open.annotations.push(annotation)
    open.marks.push(mark)
    course.tell({ type: 'annotation-added', item: open.item, index: open.index, at, annotation, mark })
  }

  function takeText({ text, logprobs }: Extract<Event, { type: 'text-delta' }>): void {
    if (text === '' && !logprobs) return
    const open = openMessage()
    if (logprobs) open.logprobs.push(...writeLogprobs(logprobs))
    const pieces = marks.read(text)
    let told = logprobs
    for (const piece of pieces) {
      if (typeof piece === 'string') {
        writeText(open, piece, told)
        told = undefined
      } else annotate(open, placeCitation(piece.annotation, open.characters), piece.mark)
    }
  }

  /** How the message stands, as it would be shown. */
  function writeMessage(open: OpenMessage, status: ItemStatus): ItemRow {
    const content: Json[] = []
    if (open.hasText || open.refusal === '') {
      const { annotations, logprobs, text } = open
      content.push({ type: 'output_text', annotations: [...annotations], logprobs: [...logprobs], text })
    }
    if (open.refusal !== '') content.push({ type: 'refusal', refusal: open.refusal })
    const shown = status === 'in_progress' || status === 'completed' ? status : 'incomplete'
    const item = { ...open.item, status, document: { ...open.item.document, status: shown, content } }
    return open.marks.length > 0 ? withBeside(item, { marks: open.marks }) : item
  }

  function closeMessage(usage?: JsonObject): void {
    if (!message) return
    const open = message
    message = undefined
    const rest = marks.end()
    if (rest !== '') writeText(open, rest)
    for (const annotation of parts.annotateEnd(open.text)) annotate(open, annotation, '')
    const isCut = reason === 'length' || reason === 'content_filter'
    let item = { ...writeMessage(open, isCut ? 'incomplete' : 'completed'), endedAt: now() }
    if (isCut) {
      item = {
        ...withBeside(item, { incomplete_details: { reason: reason === 'length' ? 'max_tokens' : 'content_filter' } }),
        endedAt: now(),
      }
    }
    finish(usage ? withBeside(item, { usage }) : item)
  }

  function openThought(): OpenThought {
    if (thought) return thought
    closeMessage()
    const { id, ...base } = begun ?? {}
    begun = undefined
    const document: JsonObject = { ...base, type: 'reasoning', summary: [] }
    const item = makeItem('reasoning', 'rs_', document, '', typeof id === 'string' ? { upstream_id: id } : {})
    thought = { item, index: course.add(item), text: '', sealed: undefined }
    return thought
  }

  function closeThought(): void {
    if (begun?.type === 'reasoning' && !thought) openThought()
    if (!thought) return
    const { item, text, sealed } = thought
    thought = undefined
    const said = text === '' ? [] : [{ type: shape, text }]
    const document: JsonObject = {
      ...item.document,
      ...sealed,
      ...(shape === 'summary_text' ? { summary: said } : said.length > 0 && { content: said }),
    }
    finish({ ...item, document, status: 'completed', endedAt: now() })
  }

  function finish(item: ItemRow): void {
    lastDone = item
    course.finish(item)
  }

  function startCall({ index, id, name }: Extract<Event, { type: 'tool-call-start' }>): void {
    closeThought()
    closeMessage()
    begun = undefined
    if (parts.isHosted(name)) {
      calls.set(index, { id, name, arguments: '', item: undefined, index: -1 })
      return
    }
    const document = { type: 'function_call', status: 'in_progress', arguments: '', call_id: id, name }
    const item = makeItem('function_call', 'fc_', document, parts.callStep)
    calls.set(index, { id, name, arguments: '', item, index: course.add(item) })
  }

  /** What only the Responses protocol has a word for, where the model is asked in it. */
  function takeRest({ item, annotation, sealed }: JsonObject): void {
    if (typeof item === 'object' && item !== null && !Array.isArray(item)) {
      const { type } = item
      if (type === 'reasoning') begun = item
      else if (typeof type === 'string' && type !== 'message' && type !== 'function_call') takeForeign(item, type)
      return
    }
    if (message && isObject(annotation)) annotate(message, annotation, '')
    else if (isObject(sealed)) openThought().sealed = sealed
  }

  function takeForeign({ id, ...document }: JsonObject, type: string): void {
    closeThought()
    closeMessage()
    const made = makeItem(type, 'item_', document, '', typeof id === 'string' ? { upstream_id: id } : {})
    course.add(made)
    finish({ ...made, status: 'completed', endedAt: now() })
  }

  return {
    get reason() {
      return reason
    },
    get hasBegun() {
      return course.made.length > first || calls.size > 0
    },
    take(event) {
      switch (event.type) {
        case 'text-delta':
          takeText(event)
          return
        case 'refusal-delta': {
          if (event.text === '') return
          const open = openMessage()
          open.refusal += event.text
          course.tell({ type: 'refusal-delta', item: open.item, index: open.index, text: event.text })
          return
        }
        case 'reasoning-delta': {
          if (event.text === '') return
          const open = openThought()
          open.text += event.text
          course.tell({ type: 'reasoning-delta', item: open.item, index: open.index, text: event.text })
          return
        }
        case 'tool-call-start':
          startCall(event)
          return
        case 'tool-call-delta': {
          const call = calls.get(event.index)
          if (!call || event.arguments === '') return
          call.arguments += event.arguments
          const { item, index } = call
          if (item) course.tell({ type: 'arguments-delta', item, index, text: event.arguments })
          return
        }
        case 'message-rest':
          if (event.rest.wire === 'openai-responses') takeRest(event.rest.fields)
          return
        case 'choice-end':
          reason = event.reason
      }
    },
    sketch() {
      const open: ItemRow[] = []
      if (message) open.push(writeMessage(message, 'in_progress'))
      if (thought) {
        const said = thought.text === '' ? [] : [{ type: shape, text: thought.text }]
        const field = shape === 'summary_text' ? 'summary' : 'content'
        open.push({ ...thought.item, document: { ...thought.item.document, [field]: said } })
      }
      for (const { item, arguments: text } of calls.values()) {
        if (item) open.push({ ...item, document: { ...item.document, arguments: text } })
      }
      return open
    },
    end(usage) {
      closeThought()
      if (!hasSpoken && calls.size === 0 && reason !== 'content_filter') openMessage()
      const asked: AskedCall[] = []
      closeMessage(calls.size === 0 ? usage : undefined)
      for (const call of calls.values()) {
        // Elsewhere the arguments of a call without any are an empty object, never an empty text.
        const text = call.arguments === '' ? '{}' : call.arguments
        let { item } = call
        if (item) {
          item = { ...item, document: { ...item.document, arguments: text } }
          if (usage) item = withBeside(item, { usage })
          course.keep(item)
        }
        asked.push({ id: call.id, name: call.name, arguments: text, item })
      }
      if (usage && asked.length === 0 && lastDone && lastDone.type !== 'message')
        course.keep(withBeside(lastDone, { usage }))
      return asked
    },
  }
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Where the source is referred to, in the annotation's own words. */
function placeCitation(annotation: JsonObject, at: number): JsonObject {
  const placed: JsonObject = {}
  const isFile = annotation.type === 'file_citation' || annotation.type === 'file_path'
  for (const [name, value] of Object.entries(annotation)) setField(placed, name, value)
  if (isFile) placed.index = at
  else Object.assign(placed, { start_index: at, end_index: at })
  return placed
}
