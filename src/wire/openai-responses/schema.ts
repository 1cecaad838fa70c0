import { z } from 'zod'
import { metadataSchema } from '../openai-chat/extras.ts'

export const wireName = 'openai-responses'

/**
 * The request of the Responses API. Objects are loose: what is not named here is kept. Items of the input, their content and tools are
 * judged one by one, by the schema of their type, so that an item or tool of tomorrow passes to an upstream that knows it.
 */

const typed = z.looseObject({ type: z.string().nullish() })
const named = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, '1 to 64 letters, digits, "_" or "-"')
const effort = z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'])
const summary = z.enum(['auto', 'concise', 'detailed'])

export const includable = [
  'code_interpreter_call.outputs',
  'computer_call_output.output.image_url',
  'file_search_call.results',
  'message.input_image.image_url',
  'message.output_text.logprobs',
  'reasoning.encrypted_content',
  'web_search_call.action.sources',
  'web_search_call.results',
] as const

const formatSchema = z.discriminatedUnion(
  'type',
  [
    z.looseObject({ type: z.literal('text') }),
    z.looseObject({ type: z.literal('json_object') }),
    z.looseObject({
      type: z.literal('json_schema'),
      name: named,
      description: z.string().nullish(),
      schema: z.looseObject({}),
      strict: z.boolean().nullish(),
    }),
  ],
  { error: 'one of "text", "json_object", "json_schema"' },
)

/** Fields with a place in the canonical form, or that are ours to answer for. */
const ownFields = {
  model: z.string().nullish(),
  input: z.union([z.string(), z.array(typed).min(1).max(2048)]).nullish(),
  instructions: z.string().nullish(),
  tools: z.array(typed).max(128).nullish(),
  tool_choice: z.union([z.enum(['none', 'auto', 'required']), z.looseObject({ type: z.string() })]).nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  text: z
    .looseObject({ format: formatSchema.nullish(), verbosity: z.enum(['low', 'medium', 'high']).nullish() })
    .nullish(),
  reasoning: z
    .looseObject({ effort: effort.nullish(), summary: summary.nullish(), generate_summary: summary.nullish() })
    .nullish(),
  max_output_tokens: z.int().min(1).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
  include: z.array(z.enum(includable)).nullish(),
  metadata: metadataSchema.nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_obfuscation: z.boolean().nullish() }).nullish(),
  store: z.boolean().nullish(),
  background: z.boolean().nullish(),
  previous_response_id: z.string().nullish(),
  conversation: z.union([z.string(), z.looseObject({ id: z.string() })]).nullish(),
} as const

export const requestSchema = z.looseObject({
  ...ownFields,
  // From here on: judged, and then kept for those who know them.
  user: z.string().nullish(),
  safety_identifier: z.string().max(64).nullish(),
  prompt_cache_key: z.string().nullish(),
  service_tier: z.enum(['auto', 'default', 'flex', 'scale', 'priority']).nullish(),
  truncation: z.enum(['auto', 'disabled']).nullish(),
  max_tool_calls: z.int().min(1).nullish(),
  prompt: z.looseObject({ id: z.string() }).nullish(),
})

export const ownFieldNames: ReadonlySet<string> = new Set(Object.keys(ownFields))

const imageDetail = z.enum(['auto', 'low', 'high', 'original']).nullish()

export const partSchema = z.discriminatedUnion(
  'type',
  [
    z.looseObject({ type: z.literal('input_text'), text: z.string() }),
    z.looseObject({
      type: z.literal('input_image'),
      image_url: z.string().nullish(),
      file_id: z.string().nullish(),
      detail: imageDetail,
    }),
    z.looseObject({
      type: z.literal('input_file'),
      file_id: z.string().nullish(),
      filename: z.string().nullish(),
      file_data: z.string().nullish(),
      file_url: z.string().nullish(),
    }),
    z.looseObject({
      type: z.literal('input_audio'),
      input_audio: z.looseObject({ data: z.string(), format: z.enum(['wav', 'mp3']) }),
    }),
    z.looseObject({ type: z.literal('output_text'), text: z.string() }),
    z.looseObject({ type: z.literal('refusal'), refusal: z.string() }),
  ],
  { error: 'one of "input_text", "input_image", "input_file", "input_audio", "output_text", "refusal"' },
)

const content = z.union([z.string(), z.array(typed)])

export const messageSchema = z.looseObject({
  type: z.literal('message').nullish(),
  role: z.enum(['user', 'assistant', 'system', 'developer']),
  content,
})

const functionCallSchema = z.looseObject({
  type: z.literal('function_call'),
  call_id: z.string().min(1),
  name: z.string().min(1),
  arguments: z.string(),
})

const functionOutputSchema = z.looseObject({
  type: z.literal('function_call_output'),
  call_id: z.string().min(1),
  output: content,
})

const reasoningSchema = z.looseObject({
  type: z.literal('reasoning'),
  summary: z.array(z.looseObject({ type: z.string() })).nullish(),
  encrypted_content: z.string().nullish(),
})

const referenceSchema = z.looseObject({ type: z.literal('item_reference').nullish(), id: z.string() })

export const itemSchemas = {
  message: messageSchema,
  function_call: functionCallSchema,
  function_call_output: functionOutputSchema,
  reasoning: reasoningSchema,
  item_reference: referenceSchema,
} as const

export const toolSchema = z.looseObject({
  type: z.literal('function'),
  name: named,
  description: z.string().nullish(),
  parameters: z.looseObject({}).nullish(),
  strict: z.boolean().nullish(),
})

export type RequestBody = z.output<typeof requestSchema>
export type PartBody = z.output<typeof partSchema>
export type MessageBody = z.output<typeof messageSchema>
export type FunctionCallBody = z.output<typeof functionCallSchema>
export type FunctionOutputBody = z.output<typeof functionOutputSchema>
