import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'
import type { ChoicePiece } from '../../../core/result.ts'
import { wireName } from '../schema.ts'
import { joinMembers, listMembers, readToolInput, writeToolInput } from '../tool-input.ts'
import { writeSigned } from './signature.ts'

/**
 * Content blocks as canonical events, in their order. What the canonical form does not name goes along as `message-rest`, for a caller
 * of this protocol: `block` is a block that begins, without what canonical events say of it, or the whole of one that they do not know;
 * `signed` is the signature of the thought before it, `delta` anything else that is added to a block.
 */

/** A block that is being read. */
type OpenBlock = {
  readonly block: JsonObject
  /** Of a tool call of the canonical form. */
  readonly index: number
  /** The thought, or the arguments, as far as they have come. */
  said: string
  /** What is added to a block that only this protocol knows, which is told when it is whole. */
  readonly deltas: JsonObject[]
}

export type BlockReader = {
  start(place: Json | undefined, block: JsonObject): Generator<ChoicePiece>
  delta(place: Json | undefined, delta: JsonObject): Generator<ChoicePiece>
  stop(place: Json | undefined): Generator<ChoicePiece>
  /** Stops all that the upstream did not. */
  end(): Generator<ChoicePiece>
}

/** `carriesRest` is whether the caller may speak this protocol; without, events are only those of the canonical form. */
export function openBlockReader(carriesRest: boolean): BlockReader {
  const open = new Map<Json | undefined, OpenBlock>()
  let toolCount = 0

  function* carry(fields: JsonObject, isWhole = true): Generator<ChoicePiece> {
    if (carriesRest) yield { type: 'message-rest', choice: 0, rest: { wire: wireName, fields }, isWhole }
  }
  function* think(thought: OpenBlock | undefined, text: Json | undefined): Generator<ChoicePiece> {
    if (typeof text !== 'string' || text === '') return
    if (thought) thought.said += text
    yield { type: 'reasoning-delta', choice: 0, text }
  }
  function* sign(thought: OpenBlock | undefined, signature: Json | undefined): Generator<ChoicePiece> {
    if (typeof signature === 'string' && signature !== '') {
      yield* carry({ signed: writeSigned(signature, thought?.said ?? '') })
    }
  }
  function* say(text: Json | undefined): Generator<ChoicePiece> {
    if (typeof text === 'string' && text !== '') yield { type: 'text-delta', choice: 0, text }
  }

  function* stop(place: Json | undefined): Generator<ChoicePiece> {
    const known = open.get(place)
    if (!known) return
    open.delete(place)
    const { block, index, said, deltas } = known
    switch (block.type) {
      case 'text':
      case 'thinking':
        return
      case 'tool_use':
        // Elsewhere the arguments of a tool without any are an empty object, never an empty text.
        if (said === '') yield { type: 'tool-call-delta', choice: 0, index, arguments: readToolInput(block.input) }
        return
      default:
        // Read as a whole, since what a filter looks for may be written in many ways within JSON.
        yield* carry({ block: writeWhole(said === '' ? block : { ...block, input: writeToolInput(said) }) })
        for (const delta of deltas) yield* carry({ delta }, false)
    }
  }

  return {
    *start(place, block) {
      yield* stop(place)
      const begun = { block, index: block.type === 'tool_use' ? toolCount++ : 0, said: '', deltas: [] }
      open.set(place, begun)
      switch (block.type) {
        case 'text':
          yield* carry({ block: { ...block, text: '' } })
          yield* say(block.text)
          return
        case 'thinking': {
          const { signature } = block
          yield* carry({ block: { ...block, thinking: '', ...(typeof signature === 'string' && { signature: '' }) } })
          yield* think(begun, block.thinking)
          yield* sign(begun, signature)
          return
        }
        case 'tool_use': {
          yield* carry({ block: { ...block, id: '', name: '', input: {} } })
          const [id, name] = [asText(block.id), asText(block.name)]
          yield { type: 'tool-call-start', choice: 0, index: begun.index, id, name }
        }
      }
    },
    *delta(place, delta) {
      const known = open.get(place)
      if (known && !namedBlocks.has(known.block.type)) {
        if (delta.type === 'input_json_delta') known.said += asText(delta.partial_json)
        else known.deltas.push(delta)
        return
      }
      switch (delta.type) {
        case 'text_delta':
          yield* say(delta.text)
          return
        case 'thinking_delta':
          yield* think(known, delta.thinking)
          return
        case 'signature_delta':
          yield* sign(known, delta.signature)
          return
        case 'input_json_delta': {
          const json = asText(delta.partial_json)
          if (!known || json === '') return
          known.said += json
          yield { type: 'tool-call-delta', choice: 0, index: known.index, arguments: json }
          return
        }
        default:
          yield* carry({ delta }, delta.type === 'citations_delta')
      }
    },
    stop,
    *end() {
      for (const place of [...open.keys()]) yield* stop(place)
    },
  }
}

/** A block that only this protocol knows, as it goes along. */
function writeWhole(block: JsonObject): JsonObject {
  return isJsonObject(block.input) ? { ...block, input: listMembers(block.input) } : block
}

/** A block as `message-rest` has it. `isWhole`: nothing else will be said of it. */
export function readCarried(block: Json | undefined): { block: JsonObject; isWhole: boolean } | undefined {
  if (!isJsonObject(block)) return undefined
  if (namedBlocks.has(block.type)) return { block: { ...block }, isWhole: false }
  const { input } = block
  return { block: isJsonObject(input) ? { ...block, input: joinMembers(input) } : { ...block }, isWhole: true }
}

/** Those of which canonical events say what they say. */
const namedBlocks: ReadonlySet<Json | undefined> = new Set(['text', 'thinking', 'tool_use'])

/** The blocks of a whole answer. */
export function readBlocks(content: readonly Json[]): ChoicePiece[] {
  const reader = openBlockReader(true)
  return content.filter(isJsonObject).flatMap((block, place) => [...reader.start(place, block), ...reader.stop(place)])
}

function asText(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}
