import type { Event, TokenLogprob } from '../../../core/event.ts'
import { type Json, type JsonObject, parseJsonObject } from '../../../core/json.ts'
import { asObject } from '../extras.ts'
import { wireName } from '../schema.ts'
import {
  callItem,
  type ItemStatus,
  messageItem,
  reasoningItem,
  refusalPart,
  type ThoughtShape,
  textPart,
  writeLogprobs,
} from './items.ts'
import { newId } from './response-object.ts'

/** Told of everything that happens to the output, in the words of the protocol. */
export type Teller = {
  event(type: string, fields: JsonObject): void
  /** `place`: where the text is, as JSON members; made once for all pieces of a text. */
  delta(type: string, place: string, text: string, logprobs: readonly TokenLogprob[] | undefined): void
}

type Part = {
  readonly type: 'output_text' | 'refusal'
  readonly place: string
  text: string
  readonly annotations: Json[]
  readonly logprobs: TokenLogprob[]
}

type OpenItem = { readonly index: number; readonly id: string; readonly base: JsonObject | undefined } & (
  | { readonly type: 'message'; readonly content: JsonObject[]; part: Part | undefined }
  | { readonly type: 'reasoning'; place: string | undefined; text: string; sealed: JsonObject | undefined }
  | {
      readonly type: 'function_call'
      readonly callId: string
      readonly name: string
      readonly place: string
      text: string
    }
)
type ItemOf<T extends OpenItem['type']> = Extract<OpenItem, { readonly type: T }>

/** What an answer says of its one choice. */
export type OutputEvent = Exclude<
  Event,
  { readonly type: 'answer-start' | 'answer-rest' | 'prompt-filter' | 'choice-filter' | 'usage' }
>

export type Output = {
  /** All items that are complete, in their order. */
  readonly items: readonly JsonObject[]
  take(event: OutputEvent): void
}

/**
 * The items of an answer, made from canonical events. A text begins where another kind of item ends; calls may be told in turns, each
 * stays open until it is a whole JSON object and another item begins, or until the answer ends.
 */
export function openOutput(shape: ThoughtShape, tell: Teller): Output {
  const items: JsonObject[] = []
  const calls = new Map<number, ItemOf<'function_call'>>()
  let count = 0
  /** The text that goes on. */
  let current: ItemOf<'message'> | ItemOf<'reasoning'> | undefined
  /** What an upstream of this protocol has begun an item with, until it says something. */
  let begun: JsonObject | undefined

  const placeOf = (item: { index: number; id: string }, fields: JsonObject = {}): JsonObject => ({
    item_id: item.id,
    output_index: item.index,
    ...fields,
  })
  const takeBegun = (type: OpenItem['type']): { id: string; base: JsonObject | undefined } => {
    const base = begun?.type === type ? begun : undefined
    if (base) begun = undefined
    const prefix = type === 'message' ? 'msg' : type === 'reasoning' ? 'rs' : 'fc'
    return { id: typeof base?.id === 'string' && base.id !== '' ? base.id : newId(prefix), base }
  }
  const add = (item: JsonObject, index: number): void =>
    tell.event('response.output_item.added', { output_index: index, item })
  const done = (item: JsonObject, index: number): void => {
    items[index] = item
    tell.event('response.output_item.done', { output_index: index, item })
  }

  const closePart = (message: ItemOf<'message'>): void => {
    const { part } = message
    if (!part) return
    message.part = undefined
    const place = placeOf(message, { content_index: message.content.length })
    const logprobs = writeLogprobs(part.logprobs)
    const whole = part.type === 'refusal' ? refusalPart(part.text) : textPart(part.text, part.annotations, logprobs)
    if (part.type === 'refusal') tell.event('response.refusal.done', { ...place, refusal: part.text })
    else tell.event('response.output_text.done', { ...place, text: part.text, logprobs })
    tell.event('response.content_part.done', { ...place, part: whole })
    message.content.push(whole)
  }
  const closeReasoning = (item: ItemOf<'reasoning'>): void => {
    const texts = item.place === undefined ? [] : [item.text]
    if (item.place !== undefined) {
      const isSummary = shape === 'summary_text'
      const place = placeOf(item, { [isSummary ? 'summary_index' : 'content_index']: 0 })
      const name = isSummary ? 'response.reasoning_summary' : 'response.reasoning'
      tell.event(`${name}_text.done`, { ...place, text: item.text })
      const part = { type: shape, text: item.text }
      tell.event(isSummary ? `${name}_part.done` : 'response.content_part.done', { ...place, part })
    }
    done(reasoningItem(item.id, shape, texts, { ...item.base, ...item.sealed }), item.index)
  }
  const closeCall = (item: ItemOf<'function_call'>, status: ItemStatus): void => {
    const { id, index, callId, name, text, base } = item
    tell.event('response.function_call_arguments.done', { ...placeOf(item), name, arguments: text })
    done(callItem(id, status, callId, name, text, base), index)
  }
  const closeCurrent = (status: ItemStatus = 'completed'): void => {
    const item = current
    current = undefined
    if (item?.type === 'message') {
      closePart(item)
      done(messageItem(item.id, status, item.content, item.base), item.index)
    } else if (item) closeReasoning(item)
  }
  /** Makes room for another item. */
  const closeOthers = (): void => {
    closeCurrent()
    for (const [key, call] of calls) {
      if (!parseJsonObject(call.text)) continue
      closeCall(call, 'completed')
      calls.delete(key)
    }
    // Thoughts that nobody may read are an item too.
    if (begun?.type === 'reasoning') openReasoning()
    if (current?.type === 'reasoning') closeCurrent()
  }

  const openMessage = (): ItemOf<'message'> => {
    if (current?.type === 'message' && begun?.type !== 'message') return current
    const own = takeBegun('message')
    closeOthers()
    const item: ItemOf<'message'> = { type: 'message', index: count++, ...own, content: [], part: undefined }
    current = item
    add(messageItem(item.id, 'in_progress', [], item.base), item.index)
    return item
  }
  const openPart = (type: Part['type']): Part => {
    const message = openMessage()
    if (message.part?.type === type) return message.part
    closePart(message)
    const fields = placeOf(message, { content_index: message.content.length })
    tell.event('response.content_part.added', { ...fields, part: type === 'refusal' ? refusalPart('') : textPart('') })
    const part: Part = { type, place: writeMembers(fields), text: '', annotations: [], logprobs: [] }
    message.part = part
    return part
  }
  function openReasoning(): ItemOf<'reasoning'> {
    if (current?.type === 'reasoning' && begun?.type !== 'reasoning') return current
    const own = takeBegun('reasoning')
    closeOthers()
    const item: ItemOf<'reasoning'> = {
      type: 'reasoning',
      index: count++,
      ...own,
      place: undefined,
      text: '',
      sealed: undefined,
    }
    current = item
    add(reasoningItem(item.id, shape, [], item.base), item.index)
    return item
  }
  const think = (text: string): void => {
    if (text === '') return
    const item = openReasoning()
    if (item.place === undefined) {
      const isSummary = shape === 'summary_text'
      const fields = placeOf(item, { [isSummary ? 'summary_index' : 'content_index']: 0 })
      item.place = writeMembers(fields)
      const type = isSummary ? 'response.reasoning_summary_part.added' : 'response.content_part.added'
      tell.event(type, { ...fields, part: { type: shape, text: '' } })
    }
    item.text += text
    const type = shape === 'summary_text' ? 'response.reasoning_summary_text.delta' : 'response.reasoning_text.delta'
    tell.delta(type, item.place, text, undefined)
  }
  /** What only this protocol has a word for. */
  const takeRest = ({ item, annotation, sealed }: JsonObject): void => {
    const { type } = asObject(item)
    if (type === 'message' || type === 'reasoning' || type === 'function_call') {
      closeOthers()
      begun = asObject(item)
    } else if (type !== undefined) {
      closeOthers()
      add(asObject(item), count)
      done(asObject(item), count++)
    } else if (annotation !== undefined && current?.type === 'message' && current.part?.type === 'output_text') {
      const { part, content } = current
      const place = placeOf(current, { content_index: content.length, annotation_index: part.annotations.length })
      part.annotations.push(annotation)
      tell.event('response.output_text.annotation.added', { ...place, annotation })
    } else if (sealed !== undefined) openReasoning().sealed = asObject(sealed)
  }

  return {
    items,
    take(event) {
      switch (event.type) {
        case 'text-delta': {
          if (event.text === '' && !event.logprobs) return
          const part = openPart('output_text')
          part.text += event.text
          if (event.logprobs) part.logprobs.push(...event.logprobs)
          tell.delta('response.output_text.delta', part.place, event.text, event.logprobs ?? noLogprobs)
          return
        }
        case 'reasoning-delta':
          think(event.text)
          return
        case 'refusal-delta': {
          if (event.text === '') return
          const part = openPart('refusal')
          part.text += event.text
          tell.delta('response.refusal.delta', part.place, event.text, undefined)
          return
        }
        case 'tool-call-start': {
          const own = takeBegun('function_call')
          closeOthers()
          const index = count++
          const place = writeMembers({ item_id: own.id, output_index: index })
          const { id: callId, name } = event
          calls.set(event.index, { type: 'function_call', index, ...own, callId, name, place, text: '' })
          add(callItem(own.id, 'in_progress', callId, name, '', own.base), index)
          return
        }
        case 'tool-call-delta': {
          const call = calls.get(event.index)
          if (!call || event.arguments === '') return
          call.text += event.arguments
          tell.delta('response.function_call_arguments.delta', call.place, event.arguments, undefined)
          return
        }
        case 'message-rest':
          if (event.rest.wire === wireName) takeRest(event.rest.fields)
          return
        case 'choice-end': {
          const isCut = event.reason === 'length' || event.reason === 'content_filter'
          const status = isCut ? 'incomplete' : 'completed'
          if (begun?.type === 'reasoning' && event.reason !== 'content_filter') closeOthers()
          // An answer that says nothing is an empty text, but for one that was kept back.
          if (count === 0 && event.reason !== 'content_filter') openPart('output_text')
          closeCurrent(status)
          for (const call of calls.values()) closeCall(call, status)
          calls.clear()
        }
      }
    },
  }
}

const noLogprobs: readonly TokenLogprob[] = []

function writeMembers(fields: JsonObject): string {
  return JSON.stringify(fields).slice(1, -1)
}
