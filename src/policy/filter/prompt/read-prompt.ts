import type { Call, ChatCall, CompletionCall, Message } from '../../../core/call.ts'
import type { Segment } from '../../../core/filter/engine.ts'
import type { Json } from '../../../core/json.ts'
import { listSaid, listTexts } from '../gate/rest-texts.ts'
import type { FilterPlan } from '../plan.ts'
import { splitDocuments } from './documents.ts'

/** A part of a prompt that is judged, and where it stands, as the caller would write it: `messages[2].content`. */
export type PromptPart = Segment & { readonly at: string; readonly offset: number }

/**
 * What a policy judges of a call: as Azure does the newest user message, with the documents in it, or as much more as the policy's scope
 * says. User messages that nobody has answered yet are one, and so is what the caller has the model go on from. Calls without a text
 * have none.
 */
export function readPrompt(call: Call, scope: FilterPlan['scope']): readonly PromptPart[] {
  switch (call.kind) {
    case 'chat':
      return readChat(call, scope)
    case 'completion':
      return readCompletion(call)
    case 'image':
    case 'image-edit':
    case 'inference-image':
      return readImagePrompt(call.source?.body.prompt)
    default:
      return []
  }
}

function readChat(call: ChatCall, scope: FilterPlan['scope']): PromptPart[] {
  const { messages } = call
  const parts: PromptPart[] = []
  const newest = findNewest(messages)
  for (const [index, message] of messages.entries()) {
    if (!newest.has(index) && !isJudged(message, scope)) continue
    addMessage(parts, message, index, scope)
  }
  if (scope.messages === 'all' && !scope.exemptSystem) addApplication(parts, call)
  return parts
}

/** The places of the newest messages of the user, and of an answer that the caller has begun. Where no user speaks, the last message. */
function findNewest(messages: readonly Message[]): ReadonlySet<number> {
  const newest = new Set<number>()
  const last = messages.length - 1
  const user = messages.findLastIndex(({ role }) => role === 'user')
  if (user < 0 || messages[last]?.role === 'assistant') newest.add(last)
  for (let index = user; index >= 0; index--) {
    const { role } = messages[index] as Message
    if (role === 'user') newest.add(index)
    else if (role !== 'system' && role !== 'developer') break
  }
  return newest
}

/** What the caller's application says besides messages, and the model reads. */
function addApplication(parts: PromptPart[], { tools, responseFormat: format, rest }: ChatCall): void {
  for (const [index, { name, description = '', parameters }] of (tools ?? []).entries()) {
    add(parts, 'system', name, `tools[${index}].function.name`)
    add(parts, 'system', description, `tools[${index}].function.description`)
    add(parts, 'system', textsIn(parameters ?? {}).join('\n'), `tools[${index}].function.parameters`)
  }
  if (format?.type === 'json_schema') {
    add(parts, 'system', format.description ?? '', 'response_format.json_schema.description')
    add(parts, 'system', textsIn(format.schema ?? {}).join('\n'), 'response_format.json_schema.schema')
  }
  for (const [name, value] of Object.entries(rest?.fields ?? {})) add(parts, 'system', textsIn(value).join('\n'), name)
}

function isJudged({ role }: Message, scope: FilterPlan['scope']): boolean {
  switch (role) {
    case 'tool':
    case 'function':
      return scope.toolResults
    case 'system':
    case 'developer':
      return scope.messages === 'all' && !scope.exemptSystem
    default:
      return scope.messages === 'all'
  }
}

function addMessage(parts: PromptPart[], message: Message, index: number, scope: FilterPlan['scope']): void {
  const role = roleOf(message)
  const at = `messages[${index}].content`
  const { content } = message
  if (typeof content === 'string') addText(parts, role, content, at)
  else {
    // As one: what is split between two parts is read as one by the model too.
    addText(parts, role, (content ?? []).map((part) => (part.type === 'text' ? part.text : '')).join(''), at)
    for (const [place, part] of (content ?? []).entries()) {
      if (part.type === 'other') add(parts, role, textsIn(part.fields).join('\n'), `${at}[${place}]`)
    }
  }
  for (const [place, call] of (message.toolCalls ?? []).entries()) {
    add(parts, role, `${call.name} ${call.arguments}`, `messages[${index}].tool_calls[${place}]`)
  }
  // Thoughts of an earlier turn, which the caller may have changed.
  for (const value of Object.values(message.hints?.fields ?? {})) {
    const said = listSaid(value, '').map(({ text }) => text)
    add(parts, role, said.join('\n'), `messages[${index}].reasoning`)
  }
  if (scope.messages !== 'all') return
  add(parts, role, message.name ?? '', `messages[${index}].name`)
  for (const [name, value] of Object.entries(message.rest?.fields ?? {})) {
    add(parts, role, textsIn(value).join('\n'), `messages[${index}].${name}`)
  }
}

function roleOf({ role }: Message): Segment['role'] {
  if (role === 'developer') return 'system'
  return role === 'function' ? 'tool' : role
}

function addText(parts: PromptPart[], role: Segment['role'], text: string, at: string): void {
  if (role !== 'user') {
    add(parts, role, text, at)
    return
  }
  for (const { isDocument, start, end } of splitDocuments(text)) {
    add(parts, isDocument ? 'document' : role, text.slice(start, end), at, start)
  }
}

function add(parts: PromptPart[], role: Segment['role'], text: string, at: string, offset = 0): void {
  if (text !== '') parts.push({ role, text, at, offset })
}

function readCompletion({ prompts, suffix }: CompletionCall): PromptPart[] {
  const parts: PromptPart[] = []
  for (const [index, prompt] of prompts.entries()) {
    const at = prompts.length === 1 ? 'prompt' : `prompt[${index}]`
    if (typeof prompt === 'string') addText(parts, 'user', prompt, at)
  }
  add(parts, 'user', suffix ?? '', 'suffix')
  return parts
}

function readImagePrompt(prompt: Json | undefined): PromptPart[] {
  return typeof prompt === 'string' && prompt !== '' ? [{ role: 'user', text: prompt, at: 'prompt', offset: 0 }] : []
}

/** Every text in a value, however deep: a part that is known to one protocol only may say anything anywhere. */
function textsIn(value: Json): string[] {
  return listTexts(value, '').map(({ text }) => text)
}
