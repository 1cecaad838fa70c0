import type { Call, ChatCall, CompletionCall, Message } from '../../../core/call.ts'
import type { Segment } from '../../../core/filter/engine.ts'
import { isJsonObject, type Json } from '../../../core/json.ts'
import type { FilterPlan } from '../plan.ts'
import { splitDocuments } from './documents.ts'

/** A part of a prompt that is judged, and where it stands, as the caller would write it: `messages[2].content`. */
export type PromptPart = Segment & { readonly at: string; readonly offset: number }

/**
 * What a policy judges of a call: as Azure does the newest user message, with the documents in it, or as much more as the policy's scope
 * says. Calls without a text have none.
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

function readChat({ messages, tools }: ChatCall, scope: FilterPlan['scope']): PromptPart[] {
  const parts: PromptPart[] = []
  const newest = messages.findLastIndex(({ role }) => role === 'user')
  for (const [index, message] of messages.entries()) {
    if (!isJudged(message, index, newest, scope)) continue
    addMessage(parts, message, index)
  }
  if (scope.messages === 'all' && !scope.exemptSystem) {
    for (const [index, tool] of (tools ?? []).entries()) {
      add(parts, 'system', tool.description ?? '', `tools[${index}].function.description`)
    }
  }
  return parts
}

function isJudged({ role }: Message, index: number, newest: number, scope: FilterPlan['scope']): boolean {
  switch (role) {
    case 'tool':
    case 'function':
      return scope.toolResults
    case 'system':
    case 'developer':
      return scope.messages === 'all' && !scope.exemptSystem
    default:
      return scope.messages === 'all' || index === newest
  }
}

function addMessage(parts: PromptPart[], message: Message, index: number): void {
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
export function textsIn(value: Json): string[] {
  if (typeof value === 'string') return [value]
  if (Array.isArray(value)) return value.flatMap(textsIn)
  return isJsonObject(value) ? Object.values(value).flatMap(textsIn) : []
}
