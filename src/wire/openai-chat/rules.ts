import { Fault } from '../../core/fault.ts'
import type { ChatBody, MessageBody } from './schema.ts'

/**
 * What must hold between the fields of a chat request, beyond each field's own type and range. Where the vendor's text is known it
 * is given word for word, since applications match on it, and so is its spelling of places in the messages: `messages.[0].role`.
 *
 * UNCONFIRMED for Azure, and decided as OpenAI behaves: the texts; that tool messages are held to the calls they answer also under
 * the Azure AI Model Inference API; that `stream_options`, `tool_choice` and `parallel_tool_calls` are refused without what they need.
 */

/** Rules of every surface: without them a conversation means nothing to any model. */
export function checkConversation(chat: ChatBody): void {
  chat.messages.forEach(checkMessage)
  checkToolMessages(chat.messages)
  if (chat.functions && chat.tools) refuse('functions', "'functions' and 'tools' cannot be used together.")
  if (chat.function_call && chat.tool_choice) {
    refuse('function_call', "'function_call' and 'tool_choice' cannot be used together.")
  }
  if (chat.function_call && !chat.functions) {
    refuse(
      'function_call',
      "Invalid value for 'function_call': 'function_call' is only allowed when 'functions' are specified.",
    )
  }
  if (chat.top_logprobs && !chat.logprobs) {
    refuse('top_logprobs', "The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.")
  }
}

/** Rules of OpenAI's models, which stand alone behind the Azure OpenAI surface. */
export function checkOpenAIRules(chat: ChatBody): void {
  chat.messages.forEach(checkOpenAIMessage)
  checkStreamOptions(chat)
  for (const field of ['tool_choice', 'parallel_tool_calls'] as const) {
    if (isGiven(chat[field]) && !chat.tools) {
      refuse(field, `Invalid value for '${field}': '${field}' is only allowed when 'tools' are specified.`)
    }
  }
  const choice = chat.tool_choice
  if (
    typeof choice === 'object' &&
    choice &&
    !chat.tools?.some((tool) => tool.function.name === choice.function.name)
  ) {
    refuse('tool_choice', `Tool choice 'function.${choice.function.name}' not found in 'tools' parameter.`)
  }
  if (isGiven(chat.max_tokens) && isGiven(chat.max_completion_tokens)) {
    const text = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."
    refuse('max_tokens', text, 'invalid_parameter_combination')
  }
  if (chat.response_format?.type === 'json_object' && !chat.messages.some(saysJson)) {
    const text = "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
    refuse('messages', text)
  }
}

export function checkStreamOptions({ stream, stream_options }: Pick<ChatBody, 'stream' | 'stream_options'>): void {
  if (!stream_options || stream) return
  refuse('stream_options', "The 'stream_options' parameter is only allowed when 'stream' is enabled.")
}

function checkMessage(message: MessageBody, index: number): void {
  const { role } = message
  if (role === 'tool' && message.tool_call_id == null) missing(index, 'tool_call_id', role)
  if (role === 'function' && message.name == null) missing(index, 'name', role)
  if (message.content == null && (role === 'user' || role === 'system' || role === 'developer')) noContent(index)
  if (role !== 'assistant' && (message.tool_calls?.length || message.function_call)) {
    const field = message.function_call ? 'function_call' : 'tool_calls'
    refuse(`messages.[${index}].${field}`, `'${field}' is only allowed in messages with role 'assistant'.`)
  }
  if (message.tool_calls?.length && message.function_call) {
    refuse(`messages.[${index}].function_call`, "'function_call' and 'tool_calls' cannot be used in one message.")
  }
}

function missing(index: number, field: string, role: string): never {
  const text = `Missing parameter '${field}': messages with role '${role}' must have a '${field}'.`
  return refuse(`messages.[${index}].${field}`, text)
}

function noContent(index: number): never {
  return refuse(`messages.[${index}].content`, "Invalid value for 'content': expected a string, got null.")
}

function checkOpenAIMessage(message: MessageBody, index: number): void {
  const { role, content } = message
  const isCall = Boolean(message.tool_calls || message.function_call)
  // An answer that was spoken or refused is referred to by these instead of its text.
  const isElsewhere = message.audio != null || message.refusal != null
  if (content == null && (role === 'tool' || (role === 'assistant' && !isCall && !isElsewhere))) noContent(index)
  if (message.tool_calls?.length === 0) {
    const field = `messages[${index}].tool_calls`
    refuse(
      field,
      `Invalid '${field}': empty array. Expected an array with minimum length 1, but got an empty array instead.`,
    )
  }
  if (role === 'user' || typeof content !== 'object' || content === null) return
  for (const part of content) {
    if (part.type === 'text' || (part.type === 'refusal' && role === 'assistant')) continue
    const text = `Invalid 'messages[${index}]'. Content of type '${part.type}' is only allowed for messages with role `
    refuse(`messages[${index}]`, `${text}'user', but this message has role '${role}'.`, 'invalid_value')
  }
}

/** Every `tool` message answers a call of the assistant's message before it, and every call is answered. */
function checkToolMessages(messages: readonly MessageBody[]): void {
  let asked: ReadonlySet<string> | undefined
  let unanswered = new Set<string>()
  messages.forEach((message, index) => {
    if (message.role !== 'tool') {
      refuseUnanswered(unanswered, index)
      asked = message.tool_calls?.length ? new Set(message.tool_calls.map((call) => call.id)) : undefined
      if (asked) unanswered = new Set(asked)
      return
    }
    if (!asked) {
      const text =
        "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'."
      refuse(`messages.[${index}].role`, text)
    }
    const id = message.tool_call_id as string
    if (!asked.has(id)) {
      const text = `Invalid parameter: 'tool_call_id' of '${id}' not found in 'tool_calls' of previous message.`
      refuse(`messages.[${index}].tool_call_id`, text)
    }
    unanswered.delete(id)
  })
  refuseUnanswered(unanswered, messages.length - 1)
}

function refuseUnanswered(ids: ReadonlySet<string>, index: number): void {
  if (ids.size === 0) return
  const text =
    "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. " +
    `The following tool_call_ids did not have response messages: ${[...ids].join(', ')}`
  refuse(`messages.[${index}].role`, text)
}

const jsonWord = /json/i

function saysJson({ content }: MessageBody): boolean {
  if (typeof content === 'string') return jsonWord.test(content)
  return content?.some((part) => part.type === 'text' && jsonWord.test(part.text)) ?? false
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null
}

function refuse(param: string, message: string, vendorCode?: string): never {
  throw new Fault('invalid-request', message, { param, vendorCode })
}
