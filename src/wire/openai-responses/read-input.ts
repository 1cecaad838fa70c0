import type { ContentPart, Message, ToolCall } from '../../core/call.ts'
import { Fault } from '../../core/fault.ts'
import { type JsonObject, pickUnknown } from '../../core/json.ts'
import { readBody } from '../read-body.ts'
import {
  type FunctionOutputBody,
  itemSchemas,
  type MessageBody,
  type PartBody,
  partSchema,
  type RequestBody,
  wireName,
} from './schema.ts'
import { refuseReference } from './stateless.ts'

/**
 * The input in canonical form. There a turn of the assistant is one message, with the calls it makes, and the results of these follow it;
 * here each of them is an item, and results may come later. Items of other types are kept whole, for an upstream of the same protocol.
 */
export function readInput(request: RequestBody): Message[] {
  const turns = openTurns()
  const { instructions, input } = request
  if (instructions) turns.add({ role: 'system', content: instructions })
  if (typeof input === 'string') turns.add({ role: 'user', content: input })
  else for (const [index, item] of (input ?? []).entries()) readItem(turns, item as JsonObject, index)
  return turns.end()
}

type AssistantDraft = {
  role: 'assistant'
  content: Message['content']
  /** Whether its message has come, which may be empty, or a refusal. */
  hasSpoken: boolean
  toolCalls: ToolCall[]
  thoughts: JsonObject[]
  rest: Message['rest']
}

/** A message that is complete, or the assistant's turn, and behind it the results of its calls. */
type Turn = { readonly first: Message | AssistantDraft; readonly results: Message[] }

type Turns = {
  add(message: Message): void
  /** The assistant's turn that goes on, or a new one. `isText`: with what it says, which it says once. */
  draft(isText?: boolean): AssistantDraft
  addCall(call: ToolCall): void
  addResult(id: string, content: Message['content'], index: number): void
  end(): Message[]
}

function openTurns(): Turns {
  const turns: Turn[] = []
  const turnOfCall = new Map<string, Turn>()
  let open: Turn | undefined

  const draft = (isText = false): AssistantDraft => {
    const known = open && open.results.length === 0 && isDraft(open.first) ? open.first : undefined
    if (known && !(isText && known.hasSpoken)) return known
    const begun: AssistantDraft = {
      role: 'assistant',
      content: null,
      hasSpoken: false,
      toolCalls: [],
      thoughts: [],
      rest: undefined,
    }
    open = { first: begun, results: [] }
    turns.push(open)
    return begun
  }
  return {
    draft,
    add(message) {
      open = undefined
      turns.push({ first: message, results: [] })
    },
    addCall(call) {
      draft().toolCalls.push(call)
      turnOfCall.set(call.id, open as Turn)
    },
    addResult(toolCallId, content, index) {
      const turn = turnOfCall.get(toolCallId)
      if (!turn) {
        const text = `No tool call found for function call output with call_id ${toolCallId}.`
        throw new Fault('invalid-request', text, { param: `input[${index}].call_id` })
      }
      turn.results.push({ role: 'tool', toolCallId, content })
    },
    end() {
      return turns.flatMap(({ first, results }) => {
        if (!isDraft(first)) return [first, ...results]
        const answered = new Set(results.map((result) => result.toolCallId))
        for (const { id } of first.toolCalls) {
          if (answered.has(id)) continue
          throw new Fault('invalid-request', `No tool output found for function call ${id}.`, { param: 'input' })
        }
        return [closeDraft(first), ...results]
      })
    },
  }
}

function isDraft(message: Message | AssistantDraft): message is AssistantDraft {
  return 'thoughts' in message
}

function closeDraft({ role, content, toolCalls, thoughts, rest }: AssistantDraft): Message {
  return {
    role,
    // Thoughts that nothing followed are a turn of no words, which other protocols want to be a text.
    content: content === null && toolCalls.length === 0 && !rest ? '' : content,
    toolCalls: toolCalls.length > 0 ? toolCalls : undefined,
    rest,
    // Only the model that had them has a use for them.
    hints: thoughts.length > 0 ? { wire: wireName, fields: { thoughts } } : undefined,
  }
}

function readItem(turns: Turns, item: JsonObject, index: number): void {
  const at = ['input', index]
  switch (typeOf(item)) {
    case 'message':
      readMessage(turns, readBody(itemSchemas.message, item, at), at)
      return
    case 'function_call': {
      const { call_id: id, name, arguments: text } = readBody(itemSchemas.function_call, item, at)
      turns.addCall({ id, name, arguments: text })
      return
    }
    case 'function_call_output': {
      const { call_id: id, output }: FunctionOutputBody = readBody(itemSchemas.function_call_output, item, at)
      turns.addResult(id, readContent(output, [...at, 'output']), index)
      return
    }
    case 'reasoning': {
      readBody(itemSchemas.reasoning, item, at)
      turns.draft(true).thoughts.push(item)
      return
    }
    case 'item_reference':
      refuseReference(readBody(itemSchemas.item_reference, item, at).id, index)
      break
    default:
      turns.add({ role: roleOf(item.type), content: [{ type: 'other', wire: wireName, fields: item }] })
  }
}

/** Messages may come without a type, and so may references. */
function typeOf(item: JsonObject): string {
  if (typeof item.type === 'string') return item.type
  return 'role' in item || !('id' in item) ? 'message' : 'item_reference'
}

/** Who says what is in an item that this protocol alone knows. */
function roleOf(type: JsonObject[string] | undefined): 'assistant' | 'tool' | 'user' {
  const word = typeof type === 'string' ? type : ''
  if (word.endsWith('_output')) return 'tool'
  return word.endsWith('_call') ? 'assistant' : 'user'
}

/** What the status of an earlier turn was asks nothing of the next one. */
const knownFields: ReadonlySet<string> = new Set(['type', 'role', 'content', 'id', 'status', 'phase'])

function readMessage(turns: Turns, message: MessageBody, at: readonly PropertyKey[]): void {
  const { role } = message
  const unknown = pickUnknown(message as JsonObject, knownFields)
  const rest = unknown && { wire: wireName, fields: unknown }
  const parts = typeof message.content === 'string' ? message.content : readParts(message.content, [...at, 'content'])
  if (role !== 'assistant') {
    turns.add({
      role,
      content: typeof parts === 'string' ? parts : collapse(parts.map((part) => readPart(part))),
      rest,
    })
    return
  }
  const draft = turns.draft(true)
  draft.rest = rest
  draft.hasSpoken = true
  if (typeof parts === 'string') {
    draft.content = parts
    return
  }
  const refusals = parts.flatMap((part) => (part.type === 'refusal' ? [part.refusal] : []))
  const said = parts.filter(({ type }) => type !== 'refusal').map((part) => readPart(part))
  draft.content = said.length > 0 || refusals.length === 0 ? collapse(said) : null
  // Other protocols have it beside the content of the message.
  if (refusals.length > 0 && !rest) draft.rest = { wire: 'openai-chat', fields: { refusal: refusals.join('') } }
}

function readContent(content: FunctionOutputBody['output'], at: readonly PropertyKey[]): Message['content'] {
  return typeof content === 'string' ? content : collapse(readParts(content, at).map((part) => readPart(part)))
}

function readParts(parts: readonly object[], at: readonly PropertyKey[]): PartBody[] {
  return parts.map((part, place) => readBody(partSchema, part as JsonObject, [...at, place]))
}

/** One text is the string that every server takes. */
function collapse(parts: readonly ContentPart[]): string | readonly ContentPart[] {
  const [part] = parts
  return parts.length === 1 && part?.type === 'text' ? part.text : parts
}

function readPart(part: PartBody): ContentPart {
  switch (part.type) {
    case 'input_text':
    case 'output_text':
      return { type: 'text', text: part.text }
    case 'input_image':
      if (typeof part.image_url !== 'string' || part.detail === 'original') break
      return { type: 'image', url: part.image_url, detail: part.detail ?? undefined }
    case 'input_audio':
      return { type: 'audio', data: part.input_audio.data, format: part.input_audio.format }
    case 'input_file': {
      const { file_id, filename, file_data, file_url } = part
      if (typeof file_url === 'string') break
      const file: JsonObject = {}
      for (const [name, value] of Object.entries({ file_id, filename, file_data })) {
        if (typeof value === 'string') file[name] = value
      }
      return { type: 'other', wire: 'openai-chat', fields: { type: 'file', file } }
    }
  }
  return { type: 'other', wire: wireName, fields: part as JsonObject }
}
