import type { ChatCall, Message, ResponseFormat, Tool, ToolChoice } from '../../core/call.ts'
import { Fault } from '../../core/fault.ts'
import type { JsonObject } from '../../core/json.ts'
import { writeOpenAIFault } from '../faults/openai-fault.ts'
import { checkStreamOptions } from '../openai-chat/rules.ts'
import { namedDeployment } from '../openai-chat/server.ts'
import { readBody } from '../read-body.ts'
import type { ServerEnd } from '../wire.ts'
import { writeResponse } from './answer/write-response.ts'
import { openResponseStream } from './answer/write-stream.ts'
import { readExtras } from './extras.ts'
import { readInput } from './read-input.ts'
import { type RequestBody, requestSchema, toolSchema, wireName } from './schema.ts'
import { refuseKept } from './stateless.ts'
import { writeResponsesStreamFault } from './stream-fault.ts'

/**
 * Responses as Azure OpenAI (dated and v1) offers them, answered by any deployment: `model` is its name. Nothing is kept: a conversation
 * goes on with the whole of it as input. Spec: azure-openai v1, and 2025-03-01-preview for the dated route.
 */
export const openaiResponsesServer: ServerEnd = {
  wire: wireName,
  kind: 'chat',
  routes: [
    { method: 'POST', path: '/openai/responses', apiVersion: 'required' },
    { method: 'POST', path: '/openai/v1/responses', apiVersion: 'optional' },
    // The service has no such route, but openai-java and the AI SDK ask for it where they address deployments.
    { method: 'POST', path: '/openai/deployments/{deployment}/responses', apiVersion: 'required' },
  ],
  readCall(input) {
    const { text, body } = input
    const deployment = namedDeployment(input)
    const request = readBody(requestSchema, body)
    refuseKept(request)
    return { ...toCall(request, body, deployment), source: { wire: wireName, text, body } }
  },
  writeResult: writeResponse,
  openStream: openResponseStream,
  writeFault: writeOpenAIFault,
  writeStreamFault: writeResponsesStreamFault,
}

/** A request, judged and as it came, in canonical form. Whatever it refers to has to be in its `input` by then. */
function toCall(request: RequestBody, body: JsonObject, deployment: string): ChatCall {
  checkRules(request)
  const { tools, foreign } = readTools(request)
  const choice = readToolChoice(request, foreign)
  const messages = readInput(request)
  const responseFormat = readFormat(request)
  if (responseFormat?.type === 'json_object' && !messages.some(saysJson)) {
    throw new Fault(
      'invalid-request',
      "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.",
      { param: 'input' },
    )
  }
  return {
    kind: 'chat',
    deployment,
    stream: request.stream ?? false,
    includeUsage: true,
    messages,
    maxTokens: request.max_output_tokens ?? undefined,
    temperature: request.temperature ?? undefined,
    topP: request.top_p ?? undefined,
    tools: tools.length > 0 ? tools : undefined,
    toolChoice: choice,
    parallelToolCalls: request.parallel_tool_calls ?? undefined,
    responseFormat,
    n: 1,
    logprobs: asksLogprobs(request) ? { top: request.top_logprobs ?? 0 } : undefined,
    rest: readExtras(body, foreign),
    // The answer repeats much of the request.
    hints: { wire: wireName, fields: body },
  }
}

const jsonWord = /json/i

function saysJson({ content }: Message): boolean {
  if (typeof content === 'string') return jsonWord.test(content)
  return content?.some((part) => part.type === 'text' && jsonWord.test(part.text)) ?? false
}

function asksLogprobs({ include }: RequestBody): boolean {
  return include?.includes('message.output_text.logprobs') ?? false
}

/** UNCONFIRMED for Azure, and decided as OpenAI behaves: the texts. */
function checkRules(request: RequestBody): void {
  checkStreamOptions(request)
  const { input, prompt, tools, tool_choice: choice } = request
  if ((input === null || input === undefined) && !prompt) {
    throw new Fault('invalid-request', "Missing required parameter: 'input'.", {
      param: 'input',
      vendorCode: 'missing_required_parameter',
    })
  }
  const isForced = choice === 'required' || (typeof choice === 'object' && choice !== null)
  if (!isForced) return
  const name = typeof choice === 'object' && choice.type === 'function' ? choice.name : undefined
  const isOffered = tools?.some((tool) => name === undefined || (tool as JsonObject).name === name) ?? false
  if (isOffered) return
  const what = typeof name === 'string' ? `'function.${name}'` : JSON.stringify(choice)
  throw new Fault('invalid-request', `Tool choice ${what} not found in 'tools' parameter.`, { param: 'tool_choice' })
}

const toolFields: ReadonlySet<string> = new Set(Object.keys(toolSchema.shape))

/** Tools that run at the vendor, or say more than a function has, are left to this protocol: `tools[2]`. */
function readTools({ tools: given }: RequestBody): { tools: Tool[]; foreign: JsonObject } {
  const tools: Tool[] = []
  const foreign: JsonObject = {}
  for (const [index, loose] of (given ?? []).entries()) {
    const raw = loose as JsonObject
    if (typeof raw.type !== 'string') {
      const param = `tools[${index}].type`
      throw new Fault('invalid-request', `Missing required parameter: '${param}'.`, { param })
    }
    const tool = raw.type === 'function' ? readBody(toolSchema, raw, ['tools', index]) : undefined
    if (!tool || Object.keys(raw).some((key) => !toolFields.has(key) && raw[key] !== null)) {
      foreign[`tools[${index}]`] = raw
      continue
    }
    tools.push({
      name: tool.name,
      description: tool.description ?? undefined,
      parameters: (tool.parameters ?? undefined) as JsonObject | undefined,
      strict: tool.strict ?? undefined,
    })
  }
  return { tools, foreign }
}

/** Choices among other tools than functions, or among some of them, are left to this protocol too. */
function readToolChoice({ tool_choice: choice }: RequestBody, foreign: JsonObject): ToolChoice | undefined {
  if (choice === null || choice === undefined) return undefined
  if (typeof choice === 'string') return choice
  if (choice.type === 'function' && typeof choice.name === 'string') return { name: choice.name }
  foreign.tool_choice = choice as JsonObject
  return undefined
}

function readFormat({ text }: RequestBody): ResponseFormat | undefined {
  const format = text?.format
  if (format === null || format === undefined) return undefined
  if (format.type !== 'json_schema') return { type: format.type }
  return {
    type: 'json_schema',
    name: format.name,
    description: format.description ?? undefined,
    schema: format.schema as JsonObject,
    strict: format.strict ?? undefined,
  }
}
