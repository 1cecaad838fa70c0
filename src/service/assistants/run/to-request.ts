import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'
import type { AssistantRow, ThreadRow } from '../../../port/tables/runs/port.ts'
import { objectsOf } from '../../runs/kept-beside.ts'
import type { RunBody, ThreadAndRunBody } from './read-run-request.ts'

/** A run as it is asked of the model, and as the API shows what it was asked with. */
export type AskedRun = { readonly request: JsonObject; readonly state: JsonObject }

type Overrides = Omit<RunBody, 'additional_messages' | 'additional_instructions' | 'thread_id'> &
  Partial<Pick<RunBody, 'additional_instructions'>> &
  Partial<Pick<ThreadAndRunBody, 'tool_resources'>>

/** The assistant with what the run says otherwise, as the body of a Responses request and as the run shows it. */
export function toRequest(
  assistant: AssistantRow,
  thread: Pick<ThreadRow, 'toolResources'>,
  body: Overrides,
): AskedRun {
  const { document } = assistant
  const pick = (name: keyof Overrides & string): Json | undefined => {
    const value = body[name] as Json | undefined
    return value !== undefined && value !== null ? value : document[name]
  }
  const instructions = [pick('instructions'), body.additional_instructions]
    .filter((text): text is string => typeof text === 'string' && text !== '')
    .join('\n')
  const resources = [
    isJsonObject(body.tool_resources) ? (body.tool_resources as JsonObject) : asObject(document.tool_resources),
    asObject(thread.toolResources),
  ]
  const shown: JsonObject = { instructions, tools: pick('tools') ?? [] }
  for (const name of [
    'temperature',
    'top_p',
    'response_format',
    'tool_choice',
    'parallel_tool_calls',
    'reasoning_effort',
  ] as const) {
    const value = pick(name)
    if (value !== undefined && value !== null) shown[name] = value
  }
  const tools = objectsOf(shown.tools).flatMap((tool) => writeTool(tool, resources))
  const format = writeFormat(shown.response_format)
  const choice = writeChoice(shown.tool_choice, tools)
  const request: JsonObject = {
    model: pick('model') ?? '',
    ...(instructions !== '' && { instructions }),
    ...(tools.length > 0 && { tools }),
    ...(format && { text: { format } }),
    ...(choice !== undefined && { tool_choice: choice }),
    ...(shown.reasoning_effort !== undefined && { reasoning: { effort: shown.reasoning_effort } }),
  }
  for (const name of ['temperature', 'top_p', 'parallel_tool_calls'] as const) {
    const value = shown[name]
    // It is about tools, and models without any do not want to hear it.
    if (value !== undefined && (name !== 'parallel_tool_calls' || tools.length > 0)) request[name] = value
  }
  const { max_prompt_tokens: prompt, max_completion_tokens: completion, truncation_strategy: truncation } = body
  return {
    request,
    state: {
      functions: 'wait',
      shown,
      ...(typeof prompt === 'number' && { max_prompt_tokens: prompt }),
      ...(typeof completion === 'number' && { max_completion_tokens: completion }),
      ...(truncation && {
        truncation_strategy: { type: truncation.type, last_messages: truncation.last_messages ?? null },
      }),
    },
  }
}

/** Tools with what assistant and thread give them to work with. A search in nothing is not offered. */
function writeTool(tool: JsonObject, resources: readonly JsonObject[]): JsonObject[] {
  switch (tool.type) {
    case 'function': {
      const { name, description, parameters, strict } = asObject(tool.function)
      return [
        {
          type: 'function',
          name: name ?? '',
          ...(typeof description === 'string' && { description }),
          parameters: parameters ?? { type: 'object', properties: {} },
          strict: strict ?? false,
        },
      ]
    }
    case 'file_search': {
      const stores = collect(resources, 'file_search', 'vector_store_ids')
      return stores.length === 0
        ? []
        : [{ type: 'file_search', vector_store_ids: stores, ...dropNull(asObject(tool.file_search)) }]
    }
    default:
      return [
        {
          type: 'code_interpreter',
          container: { type: 'auto', file_ids: collect(resources, 'code_interpreter', 'file_ids') },
        },
      ]
  }
}

function collect(resources: readonly JsonObject[], tool: string, field: string): string[] {
  const ids = resources.flatMap((resource) => {
    const list = asObject(resource[tool])[field]
    return Array.isArray(list) ? list.filter((id): id is string => typeof id === 'string') : []
  })
  return [...new Set(ids)]
}

function writeFormat(format: Json | undefined): JsonObject | undefined {
  if (!isJsonObject(format) || format.type === 'text') return undefined
  return format.type === 'json_schema'
    ? { type: 'json_schema', ...dropNull(asObject(format.json_schema)) }
    : { type: 'json_object' }
}

function writeChoice(choice: Json | undefined, tools: readonly JsonObject[]): Json | undefined {
  if (choice === undefined || choice === null || tools.length === 0) return undefined
  if (!isJsonObject(choice)) return choice
  const { type } = choice
  if (type === 'function') return { type, name: asObject(choice.function).name ?? '' }
  return tools.some((tool) => tool.type === type) ? { type: type as string } : undefined
}

function asObject(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {}
}

function dropNull(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined))
}
