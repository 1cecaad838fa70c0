import type { ChatCall, Message, Tool, ToolCall, ToolChoice } from '../../core/call.ts'
import type { FinishReason } from '../../core/event.ts'
import type { JsonObject } from '../../core/json.ts'
import type { ChatBody } from './schema.ts'

/**
 * Functions, as chats had them before tools. In canonical form they are tools, so that every backend takes them; the answer goes
 * back in the old shape. Only a relay shows an upstream the old fields.
 */

export function readFunctions(functions: NonNullable<ChatBody['functions']>): Tool[] {
  return functions.map(({ name, description, parameters }) => ({
    name,
    description: description ?? undefined,
    parameters: (parameters ?? undefined) as JsonObject | undefined,
  }))
}

export function readFunctionChoice(choice: ChatBody['function_call']): ToolChoice | undefined {
  if (choice === null || choice === undefined) return undefined
  return typeof choice === 'string' ? choice : { name: choice.name }
}

/** Calls of functions have no id: the place in the conversation makes one, in nine characters since some models insist on that. */
export function functionCallId(index: number): string {
  return `call${String(index).padStart(5, '0')}`
}

/** Turns each `function` message that answers a call into the `tool` message it would be; one that answers none stays. */
export function pairFunctionMessages(messages: readonly Message[]): readonly Message[] {
  const open = new Map<string, string>()
  return messages.map((message) => {
    for (const call of message.toolCalls ?? []) open.set(call.name, call.id)
    const toolCallId = message.role === 'function' ? open.get(message.name ?? '') : undefined
    if (toolCallId === undefined) return message
    open.delete(message.name ?? '')
    return { ...message, role: 'tool', name: undefined, toolCallId }
  })
}

/** A caller of functions takes one call. Backends are told so; should one make more, the rest can be made in the next turn. */
export function writeFunctionCall(calls: readonly ToolCall[]): JsonObject | undefined {
  const [call] = calls
  return call && { arguments: call.arguments, name: call.name }
}

/** The finish reason in the words of the caller's side. */
export function writeReason(reason: FinishReason, call: Pick<ChatCall, 'hasLegacyFunctions'>): FinishReason {
  if (reason === 'tool_calls' && call.hasLegacyFunctions) return 'function_call'
  return reason === 'function_call' && !call.hasLegacyFunctions ? 'tool_calls' : reason
}
