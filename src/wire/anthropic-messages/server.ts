import type { ChatCall, ResponseFormat, Tool, ToolChoice } from '../../core/call.ts'
import { Fault } from '../../core/fault.ts'
import type { JsonObject } from '../../core/json.ts'
import { readBody } from '../read-body.ts'
import type { CallInput, ServerEnd } from '../wire.ts'
import { writeMessage } from './answer/write-message.ts'
import { openMessageStream } from './answer/write-stream.ts'
import { readExtras } from './extras.ts'
import { writeMessagesFault, writeMessagesStreamFault } from './fault.ts'
import { readMessage, readSystem } from './read-messages.ts'
import { type RequestBody, requestSchema, toolSchema, wireName } from './schema.ts'

/** The Messages API of Anthropic, for any deployment: `model` is its name. Clients take `<resource>/anthropic` as their base URL. */
export const anthropicMessagesServer: ServerEnd = {
  wire: wireName,
  kind: 'chat',
  requestIdHeader: 'request-id',
  routes: [{ method: 'POST', path: '/anthropic/v1/messages', apiVersion: 'optional' }],
  readCall(input) {
    const { text, body } = input
    return { ...readRequest(body), source: { wire: wireName, text, body, headers: readVersions(input) } }
  },
  writeResult: writeMessage,
  openStream: openMessageStream,
  writeFault: writeMessagesFault,
  writeStreamFault: writeMessagesStreamFault,
}

/** What the relayed bytes mean depends on the version that the client wrote them for. */
function readVersions(input: CallInput): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const name of ['anthropic-version', 'anthropic-beta']) {
    const value = input.header(name)
    if (value !== null && /^[\w.,: -]{1,1024}$/.test(value)) headers[name] = value
  }
  return headers
}

function readRequest(body: JsonObject): ChatCall {
  const request = readBody(requestSchema, body)
  const { tools, foreignTools } = readTools(request.tools)
  return {
    kind: 'chat',
    deployment: request.model,
    stream: request.stream ?? false,
    includeUsage: true,
    messages: [...readSystem(request.system), ...request.messages.flatMap(readMessage)],
    maxTokens: request.max_tokens,
    temperature: request.temperature ?? undefined,
    topP: request.top_p ?? undefined,
    stop: request.stop_sequences ?? undefined,
    tools: tools.length > 0 ? tools : undefined,
    toolChoice: readToolChoice(request.tool_choice),
    parallelToolCalls: request.tool_choice?.disable_parallel_tool_use ? false : undefined,
    responseFormat: readResponseFormat(request.output_config),
    n: 1,
    ...readExtras(body, foreignTools),
  }
}

const toolFields: ReadonlySet<string> = new Set(Object.keys(toolSchema.shape))
/** Advice about caching and streaming. */
const silentToolFields: ReadonlySet<string> = new Set(['cache_control', 'eager_input_streaming'])

/** Tools that run at the vendor, or ask for more than a name and a schema, are left to this protocol: `tools[2]`. */
function readTools(given: RequestBody['tools']): { tools: Tool[]; foreignTools: JsonObject } {
  const tools: Tool[] = []
  const foreignTools: JsonObject = {}
  for (const [index, loose] of (given ?? []).entries()) {
    const raw = loose as JsonObject
    const isCustom = raw.type === undefined || raw.type === null || raw.type === 'custom'
    const tool = isCustom ? readBody(toolSchema, raw, ['tools', index]) : undefined
    if (!tool || Object.keys(raw).some((key) => !toolFields.has(key) && !silentToolFields.has(key))) {
      foreignTools[`tools[${index}]`] = raw
      continue
    }
    tools.push({
      name: tool.name,
      description: tool.description ?? undefined,
      parameters: tool.input_schema as JsonObject,
      strict: tool.strict ?? undefined,
    })
  }
  return { tools, foreignTools }
}

function readToolChoice(choice: RequestBody['tool_choice']): ToolChoice | undefined {
  if (!choice) return undefined
  switch (choice.type) {
    case 'any':
      return 'required'
    case 'tool':
      if (choice.name) return { name: choice.name }
      throw new Fault(
        'invalid-request',
        "Invalid value for 'tool_choice.name': missing, expected the name of a tool.",
        {
          param: 'tool_choice.name',
        },
      )
    default:
      return choice.type
  }
}

/** This API always holds the answer to the schema, which elsewhere is `strict`. A name is wanted there and not known here. */
function readResponseFormat(config: RequestBody['output_config']): ResponseFormat | undefined {
  const schema = config?.format?.schema
  return schema && { type: 'json_schema', name: 'answer', schema: schema as JsonObject, strict: true }
}
