import type {
  ChatCall,
  ContentPart,
  Message,
  ResponseFormat,
  Sampling,
  Tool,
  ToolCall,
  ToolChoice,
} from '../../core/call.ts'
import { Fault } from '../../core/fault.ts'
import { type JsonObject, pickUnknown } from '../../core/json.ts'
import { writeOpenAIFault, writeOpenAIStreamFault } from '../faults/openai-fault.ts'
import { readBody } from '../read-body.ts'
import type { CallInput, ServerEnd } from '../wire.ts'
import { openChatStream, writeChatResult } from './answer.ts'
import { functionCallId, pairFunctionMessages, readFunctionChoice, readFunctions } from './functions.ts'
import { checkConversation, checkOpenAIRules } from './rules.ts'
import {
  type ChatBody,
  type ContentPartBody,
  chatBodySchema,
  chatFields,
  type MessageBody,
  messageFields,
} from './schema.ts'

export const wireName = 'openai-chat'

/** Chat completions as Azure OpenAI (dated and v1) offers them. Spec: azure-openai-inference 2024-10-21 and v1. */
export const openaiChatServer: ServerEnd = {
  wire: wireName,
  kind: 'chat',
  routes: [
    { method: 'POST', path: '/openai/deployments/{deployment}/chat/completions', apiVersion: 'required' },
    { method: 'POST', path: '/openai/v1/chat/completions', apiVersion: 'optional' },
  ],
  readCall(input) {
    const deployment = namedDeployment(input)
    const chat = readBody(chatBodySchema, input.body)
    const call = toChatCall(chat, input.body, deployment, wireName)
    checkOpenAIRules(chat)
    return { ...call, source: { wire: wireName, text: input.text, body: input.body } }
  },
  writeResult: writeChatResult,
  openStream: openChatStream,
  writeFault: writeOpenAIFault,
  writeStreamFault: writeOpenAIStreamFault,
}

/** The path names the deployment, or else the body must. On the deployment route `model` is ignored, as the service does. */
export function namedDeployment(input: CallInput): string {
  if (input.pathDeployment !== undefined) return input.pathDeployment
  const { model } = input.body
  if (typeof model === 'string' && model !== '') return model
  throw new Fault('invalid-request', "Invalid value for 'model': a deployment name is required in the request body.", {
    param: 'model',
  })
}

/** A chat body, judged and as it came, in canonical form. `wire` marks whose fields the unknown ones are. */
export function toChatCall(chat: ChatBody, body: JsonObject, deployment: string, wire: string): ChatCall {
  checkConversation(chat)
  const rest = pickUnknown(body, chatFields)
  const messages = chat.messages.map((message, index) => readMessage(message, body, index, wire))
  const { functions } = chat
  return {
    kind: 'chat',
    deployment,
    stream: chat.stream ?? false,
    includeUsage: chat.stream_options?.include_usage ?? false,
    messages: functions ? pairFunctionMessages(messages) : messages,
    ...readSampling(chat, chat.max_completion_tokens),
    tools: functions ? readFunctions(functions) : chat.tools?.map(readTool),
    toolChoice: readFunctionChoice(chat.function_call) ?? readToolChoice(chat.tool_choice),
    parallelToolCalls: functions ? false : (chat.parallel_tool_calls ?? undefined),
    ...(functions && { hasLegacyFunctions: true }),
    responseFormat: readResponseFormat(chat.response_format),
    n: chat.n ?? 1,
    logprobs: chat.logprobs ? { top: chat.top_logprobs ?? 0 } : undefined,
    rest: rest && { wire, fields: rest },
  }
}

type SamplingBody = Pick<
  ChatBody,
  'temperature' | 'top_p' | 'frequency_penalty' | 'presence_penalty' | 'seed' | 'stop' | 'max_tokens' | 'logit_bias'
>

export function readSampling(body: SamplingBody, maxCompletionTokens?: number | null): Sampling {
  return {
    temperature: body.temperature ?? undefined,
    topP: body.top_p ?? undefined,
    frequencyPenalty: body.frequency_penalty ?? undefined,
    presencePenalty: body.presence_penalty ?? undefined,
    seed: body.seed ?? undefined,
    stop: typeof body.stop === 'string' ? [body.stop] : (body.stop ?? undefined),
    maxTokens: maxCompletionTokens ?? body.max_tokens ?? undefined,
    logitBias: body.logit_bias ?? undefined,
  }
}

function readMessage(message: MessageBody, body: JsonObject, index: number, wire: string): Message {
  const raw = (body.messages as JsonObject[])[index] as JsonObject
  const rest = pickUnknown(raw, messageFields)
  return {
    role: message.role,
    content:
      typeof message.content === 'string'
        ? message.content
        : (message.content?.map((part, at) => readPart(part, `messages[${index}].content[${at}]`, wire)) ?? null),
    name: message.name ?? undefined,
    toolCalls: readToolCalls(message, index),
    toolCallId: message.tool_call_id ?? undefined,
    rest: rest && { wire, fields: rest },
  }
}

function readToolCalls(message: MessageBody, index: number): ToolCall[] | undefined {
  if (message.function_call) {
    const { name, arguments: text } = message.function_call
    return [{ id: functionCallId(index), name, arguments: text }]
  }
  if (!message.tool_calls?.length) return undefined
  return message.tool_calls.map(({ id, function: { name, arguments: text } }) => ({ id, name, arguments: text }))
}

function readTool({ function: tool }: NonNullable<ChatBody['tools']>[number]): Tool {
  return {
    name: tool.name,
    description: tool.description ?? undefined,
    parameters: (tool.parameters ?? undefined) as JsonObject | undefined,
    strict: tool.strict ?? undefined,
  }
}

function readPart(part: ContentPartBody, place: string, wire: string): ContentPart {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text }
    case 'image_url':
      return { type: 'image', url: part.image_url.url, detail: part.image_url.detail ?? undefined }
    case 'input_audio':
      return { type: 'audio', data: part.input_audio.data, format: readAudioFormat(part, place) }
    case 'audio_url':
      return { type: 'audio-url', url: part.audio_url.url }
    default:
      return { type: 'other', wire, fields: part as JsonObject }
  }
}

function readAudioFormat(part: Extract<ContentPartBody, { type: 'input_audio' }>, place: string): string {
  const format = part.input_audio.format ?? part.format
  if (format !== undefined) return format
  const param = `${place}.input_audio.format`
  throw new Fault('invalid-request', `Invalid value for '${param}': missing, expected one of "wav", "mp3".`, { param })
}

function readToolChoice(choice: ChatBody['tool_choice']): ToolChoice | undefined {
  if (choice === null || choice === undefined) return undefined
  return typeof choice === 'string' ? choice : { name: choice.function.name }
}

function readResponseFormat(format: ChatBody['response_format']): ResponseFormat | undefined {
  if (format === null || format === undefined) return undefined
  if (format.type !== 'json_schema') return { type: format.type }
  const { name, description, schema, strict } = format.json_schema
  return {
    type: 'json_schema',
    name,
    description: description ?? undefined,
    schema: (schema ?? undefined) as JsonObject | undefined,
    strict: strict ?? undefined,
  }
}
