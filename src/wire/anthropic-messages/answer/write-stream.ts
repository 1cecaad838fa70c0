import type { Call, Rest } from '../../../core/call.ts'
import type { Event, FinishReason } from '../../../core/event.ts'
import type { FilterResults } from '../../../core/filter/results.ts'
import { isJsonObject, type JsonObject } from '../../../core/json.ts'
import type { Usage } from '../../../core/usage/usage.ts'
import type { AnswerHead, EventWriter } from '../../wire.ts'
import { wireName } from '../schema.ts'
import { writeEnding } from '../stop-reason.ts'
import { readToolInput } from '../tool-input.ts'
import { writeCounts, writeUsage } from '../usage.ts'
import { readCarried } from './read-blocks.ts'
import { readSigned } from './signature.ts'
import { fieldsOf, openMessage, openText, openThought, openToolUse } from './write-message.ts'

/** A content block of the stream. `waiting` are its deltas, as JSON, while another block is open. `said` are thoughts or arguments. */
type StreamBlock = { readonly start: JsonObject; said: string; waiting: string[] }

/**
 * Streams as the Messages API writes them: named events, and one content block at a time. An upstream may add to several tool
 * calls in turn; then all but the first wait until that one is complete.
 */
export function openMessageStream(_call: Call, head: AnswerHead): EventWriter {
  const blocks: StreamBlock[] = []
  const tools = new Map<number, StreamBlock>()
  /** A block that an upstream of this protocol has begun, until it says something: a filter may keep that back. */
  let begun: JsonObject | undefined
  let openIndex = -1
  let hasBegun = false
  let refusal: string | undefined
  let usage: Usage | undefined
  let reason: FinishReason | null = null
  let rest: Rest | undefined
  let filter: FilterResults | undefined

  const begin = (id?: string, model = head.servedModel, told?: Rest): string => {
    if (hasBegun) return ''
    hasBegun = true
    const isTold = told?.wire === wireName
    const unsaid = { stop_details: null, stop_reason: null, stop_sequence: null, usage: writeUsage(undefined) }
    const message = { ...openMessage(id, model, told), ...(!isTold && unsaid) }
    return writeEvent('message_start', { message })
  }

  /** Closes and opens blocks as far as they have come. */
  const advance = (isEnd: boolean): string => {
    let text = ''
    while (openIndex < blocks.length - 1 && (isEnd || isComplete(blocks[openIndex]))) {
      if (openIndex >= 0) text += writeEvent('content_block_stop', { index: openIndex })
      openIndex++
      const block = blocks[openIndex] as StreamBlock
      text += writeEvent('content_block_start', { index: openIndex, content_block: block.start })
      for (const delta of block.waiting) text += writeDelta(openIndex, delta)
      block.waiting = []
    }
    return text
  }
  const add = (start: JsonObject): StreamBlock => {
    const block = { start, said: '', waiting: [] }
    blocks.push(block)
    return block
  }
  const extend = (block: StreamBlock, delta: string): string => {
    if (blocks[openIndex] === block) return writeDelta(openIndex, delta) + advance(false)
    block.waiting.push(delta)
    return advance(false)
  }
  const addBegun = (): void => {
    if (begun && begun.type !== 'tool_use') add(begun)
    begun = undefined
  }
  /** The block that a piece of this type belongs to: the one that was begun for it, the last one, or one of its own. */
  const blockFor = (type: 'text' | 'thinking', open: (text: string) => JsonObject): StreamBlock => {
    if (begun && begun.type !== type) addBegun()
    const block = blocks.at(-1)
    const start = begun ?? open('')
    const isLast = !begun && block?.start.type === type
    begun = undefined
    return isLast && block ? block : add(start)
  }
  const startTool = (id: string, name: string): StreamBlock => {
    const start = begun?.type === 'tool_use' ? { ...begun, id, name } : openToolUse(id, name)
    addBegun()
    return add(start)
  }
  const addWhole = (block: JsonObject): string => {
    // Arguments come as those of any other tool.
    const input = String(block.type).endsWith('tool_use') ? readToolInput(block.input) : '{}'
    if (input !== '{}') return extend(add({ ...block, input: {} }), writeInput(input))
    add(block)
    return advance(false)
  }
  /** What only this protocol has a word for. */
  const addRest = ({ block, signed, delta }: JsonObject): string => {
    addBegun()
    const carried = readCarried(block)
    if (carried && !carried.isWhole) {
      begun = carried.block
      return advance(false)
    }
    if (carried) return addWhole(carried.block)
    const last = blocks.at(-1)
    if (!last) return ''
    const signature = last.start.type === 'thinking' ? readSigned(signed, last.said) : undefined
    if (signature !== undefined) return extend(last, JSON.stringify({ type: 'signature_delta', signature }))
    return isJsonObject(delta) ? extend(last, JSON.stringify(delta)) : advance(false)
  }

  const write = (event: Event): string => {
    switch (event.type) {
      case 'answer-start':
        return begin(event.id, event.model, event.rest)
      case 'usage':
        usage = event.usage
        return ''
      case 'answer-rest':
      // This protocol has no annotations: what was filtered shows in how the answer ends.
      case 'prompt-filter':
      case 'choice-filter':
        return ''
    }
    // A call of this wire has one answer.
    if (event.choice !== 0) return ''
    switch (event.type) {
      case 'message-rest': {
        return event.rest.wire === wireName ? begin() + addRest(event.rest.fields) : ''
      }
      case 'text-delta':
        if (event.text === '') return ''
        return (
          begin() + extend(blockFor('text', openText), `{"type":"text_delta","text":${JSON.stringify(event.text)}}`)
        )
      case 'reasoning-delta': {
        const block = blockFor('thinking', openThought)
        block.said += event.text
        return begin() + extend(block, `{"type":"thinking_delta","thinking":${JSON.stringify(event.text)}}`)
      }
      case 'tool-call-start':
        tools.set(event.index, startTool(event.id, event.name))
        return begin() + advance(false)
      case 'tool-call-delta': {
        const block = tools.get(event.index)
        if (!block) return ''
        block.said += event.arguments
        return extend(block, writeInput(event.arguments))
      }
      case 'refusal-delta':
        refusal = (refusal ?? '') + event.text
        return begin()
      case 'choice-end':
        reason = event.reason
        rest = event.rest
        filter = event.filter
        if (reason !== 'content_filter') addBegun()
        return begin() + advance(true)
    }
  }

  return {
    write,
    end(): string {
      const stop = openIndex < blocks.length - 1 ? advance(true) : ''
      const close = openIndex >= 0 ? writeEvent('content_block_stop', { index: openIndex }) : ''
      const { usage: counts, beside, stop_reason: told } = fieldsOf(rest)
      const delta = {
        ...(told === undefined && { container: null }),
        ...writeEnding(reason, tools.size > 0, refusal, rest, filter),
      }
      const fields = { delta, usage: counts ?? writeCounts(usage), ...(isJsonObject(beside) && beside) }
      const ending = writeEvent('message_delta', fields) + writeEvent('message_stop', {})
      return begin() + stop + close + ending
    },
  }
}

/** Whether nothing can follow in a block once another has begun: a text, or arguments that are a whole JSON object. */
function isComplete(block: StreamBlock | undefined): boolean {
  if (block?.start.type !== 'tool_use') return true
  if (!block.said.trimEnd().endsWith('}')) return false
  try {
    JSON.parse(block.said)
    return true
  } catch {
    return false
  }
}

function writeInput(json: string): string {
  return `{"type":"input_json_delta","partial_json":${JSON.stringify(json)}}`
}

export function writeEvent(type: string, fields: JsonObject): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`
}

/** The bulk of a stream, joined from parts. */
function writeDelta(index: number, delta: string): string {
  return `event: content_block_delta\ndata: {"type":"content_block_delta","index":${index},"delta":${delta}}\n\n`
}
