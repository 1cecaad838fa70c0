import type { Call, Rest } from '../../core/call.ts'
import type { Event, FinishReason } from '../../core/event.ts'
import type { FilterResults } from '../../core/filter/results.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Usage } from '../../core/usage/usage.ts'
import type { AnswerHead, EventWriter } from '../wire.ts'
import { openMessage, openToolUse } from './answer.ts'
import { writeEnding } from './stop-reason.ts'
import { writeCounts, writeUsage } from './usage.ts'

/** A content block of the stream. `waiting` are its deltas, as JSON, while another block is open. */
type StreamBlock = { readonly start: JsonObject; arguments: string; waiting: string[] }

/**
 * Streams as the Messages API writes them: named events, and one content block at a time. An upstream may add to several tool
 * calls in turn; then all but the first wait until that one is complete.
 */
export function openMessageStream(_call: Call, head: AnswerHead): EventWriter {
  const blocks: StreamBlock[] = []
  const tools = new Map<number, StreamBlock>()
  let openIndex = -1
  let hasBegun = false
  let refusal: string | undefined
  let usage: Usage | undefined
  let reason: FinishReason | null = null
  let rest: Rest | undefined
  let filter: FilterResults | undefined

  const begin = (id?: string, model = head.servedModel): string => {
    if (hasBegun) return ''
    hasBegun = true
    const message = {
      ...openMessage(id, model),
      stop_details: null,
      stop_reason: null,
      stop_sequence: null,
      usage: writeUsage(undefined),
    }
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
    const block = { start, arguments: '', waiting: [] }
    blocks.push(block)
    return block
  }
  const extend = (block: StreamBlock, delta: string): string => {
    if (blocks[openIndex] === block) return writeDelta(openIndex, delta) + advance(false)
    block.waiting.push(delta)
    return advance(false)
  }
  const last = (type: string): StreamBlock | undefined => {
    const block = blocks.at(-1)
    return block?.start.type === type ? block : undefined
  }

  const write = (event: Event): string => {
    switch (event.type) {
      case 'answer-start':
        return begin(event.id, event.model)
      case 'usage':
        usage = event.usage
        return ''
      case 'answer-rest':
      case 'message-rest':
      // This protocol has no annotations: what was filtered shows in how the answer ends.
      case 'prompt-filter':
      case 'choice-filter':
        return ''
    }
    // A call of this wire has one answer.
    if (event.choice !== 0) return ''
    switch (event.type) {
      case 'text-delta': {
        if (event.text === '') return ''
        const block = last('text') ?? add({ type: 'text', text: '', citations: null })
        return begin() + extend(block, `{"type":"text_delta","text":${JSON.stringify(event.text)}}`)
      }
      case 'reasoning-delta': {
        const block = last('thinking') ?? add({ type: 'thinking', thinking: '', signature: '' })
        return begin() + extend(block, `{"type":"thinking_delta","thinking":${JSON.stringify(event.text)}}`)
      }
      case 'tool-call-start':
        tools.set(event.index, add(openToolUse(event.id, event.name)))
        return begin() + advance(false)
      case 'tool-call-delta': {
        const block = tools.get(event.index)
        if (!block) return ''
        block.arguments += event.arguments
        return extend(block, `{"type":"input_json_delta","partial_json":${JSON.stringify(event.arguments)}}`)
      }
      case 'refusal-delta':
        refusal = (refusal ?? '') + event.text
        return begin()
      case 'choice-end':
        reason = event.reason
        rest = event.rest
        filter = event.filter
        return begin() + advance(true)
    }
  }

  return {
    write,
    end(): string {
      const stop = openIndex < blocks.length - 1 ? advance(true) : ''
      const close = openIndex >= 0 ? writeEvent('content_block_stop', { index: openIndex }) : ''
      const delta = { container: null, ...writeEnding(reason, tools.size > 0, refusal, rest, filter) }
      const ending = writeEvent('message_delta', { delta, usage: writeCounts(usage) }) + writeEvent('message_stop', {})
      return begin() + stop + close + ending
    },
  }
}

/** Whether nothing can follow in a block once another has begun: a text, or arguments that are a whole JSON object. */
function isComplete(block: StreamBlock | undefined): boolean {
  if (block?.start.type !== 'tool_use') return true
  if (!block.arguments.trimEnd().endsWith('}')) return false
  try {
    JSON.parse(block.arguments)
    return true
  } catch {
    return false
  }
}

export function writeEvent(type: string, fields: JsonObject): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`
}

/** The bulk of a stream, joined from parts. */
function writeDelta(index: number, delta: string): string {
  return `event: content_block_delta\ndata: {"type":"content_block_delta","index":${index},"delta":${delta}}\n\n`
}
