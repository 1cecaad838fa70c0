import { z } from 'zod'
import { audioSchema, dataSourceSchema, metadataSchema, predictionSchema, userSecurityContextSchema } from './extras.ts'

/**
 * The chat request as OpenAI and Azure OpenAI define it, field by field; rules between fields are in rules.ts. Objects are loose:
 * what is not named here is kept as `rest`. `null` stands for "not given" wherever the vendors' clients send it.
 */

const wholeNumber = (min: number, max: number) =>
  z.number().min(min).max(max).refine(Number.isInteger, 'a whole number')

/** An int64: beyond 2^53 the value is read roughly, and relayed exactly. */
const seedSchema = wholeNumber(-(2 ** 63), 2 ** 63).describe('whole number of 64 bits')

export const samplingFields = {
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  frequency_penalty: z.number().min(-2).max(2).nullish(),
  presence_penalty: z.number().min(-2).max(2).nullish(),
  seed: seedSchema.nullish(),
  stop: z.union([z.string(), z.array(z.string()).max(4)]).nullish(),
  max_tokens: z.int().min(0).nullish(),
  logit_bias: z
    .record(z.string().regex(/^\d+$/, 'token ids'), z.number().min(-100).max(100))
    .describe('object of token ids to numbers, -100 to 100')
    .nullish(),
  stream: z.boolean().nullish(),
  stream_options: z
    .looseObject({ include_usage: z.boolean().nullish(), include_obfuscation: z.boolean().nullish() })
    .nullish(),
  n: z.int().min(1).max(128).nullish(),
} as const

const functionName = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, '1 to 64 letters, digits, "_" or "-"')
const functionCallSchema = z.looseObject({ name: z.string(), arguments: z.string() })

/** `format` belongs inside `input_audio`; two versions of the Azure AI Model Inference specification put it beside. */
const audioFormat = z.enum(['wav', 'mp3'])

export const contentPartSchema = z.discriminatedUnion(
  'type',
  [
    z.looseObject({ type: z.literal('text'), text: z.string() }),
    z.looseObject({
      type: z.literal('image_url'),
      image_url: z.looseObject({ url: z.string(), detail: z.enum(['auto', 'low', 'high']).nullish() }),
    }),
    z.looseObject({
      type: z.literal('input_audio'),
      input_audio: z.looseObject({ data: z.string(), format: audioFormat.optional() }),
      format: audioFormat.optional(),
    }),
    z.looseObject({ type: z.literal('audio_url'), audio_url: z.looseObject({ url: z.string() }) }),
    z.looseObject({ type: z.literal('refusal'), refusal: z.string() }),
    z.looseObject({
      type: z.literal('file'),
      file: z.looseObject({
        file_id: z.string().nullish(),
        filename: z.string().nullish(),
        file_data: z.string().nullish(),
      }),
    }),
  ],
  { error: 'one of "text", "image_url", "input_audio", "audio_url", "refusal", "file"' },
)

export const messageSchema = z.looseObject({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool', 'function']),
  content: z.union([z.string(), z.array(contentPartSchema).min(1)]).nullish(),
  name: z
    .string()
    .regex(/^[^\s<|\\/>]{1,64}$/, '1 to 64 characters without spaces and < | \\ / >')
    .nullish(),
  tool_calls: z
    .array(z.looseObject({ id: z.string(), type: z.literal('function').optional(), function: functionCallSchema }))
    .nullish(),
  tool_call_id: z.string().nullish(),
  function_call: functionCallSchema.nullish(),
})

const functionSchema = z.looseObject({
  name: functionName,
  description: z.string().nullish(),
  parameters: z.looseObject({}).nullish(),
})

export const toolSchema = z.looseObject({
  type: z.literal('function'),
  function: functionSchema.extend({ strict: z.boolean().nullish() }),
})

export const toolChoiceSchema = z.union([
  z.enum(['none', 'auto', 'required']),
  z.looseObject({ type: z.literal('function'), function: z.looseObject({ name: z.string() }) }),
])

const jsonSchema = z.looseObject({}).nullish()

/** How a text, an object or a schema is asked for. One API insists on the schema, the other does not. */
export const responseFormatSchema = <T extends z.ZodType>(schema: T) =>
  z.discriminatedUnion(
    'type',
    [
      z.looseObject({ type: z.literal('text') }),
      z.looseObject({ type: z.literal('json_object') }),
      z.looseObject({
        type: z.literal('json_schema'),
        json_schema: z.looseObject({
          name: functionName,
          description: z.string().nullish(),
          schema,
          strict: z.boolean().nullish(),
        }),
      }),
    ],
    { error: 'one of "text", "json_object", "json_schema"' },
  )

/** Fields with a place in the canonical form. */
const canonicalFields = {
  ...samplingFields,
  model: z.string().nullish(),
  messages: z.array(messageSchema).min(1).max(2048),
  max_tokens: z.int().min(1).nullish(),
  max_completion_tokens: z.int().min(1).nullish(),
  tools: z.array(toolSchema).min(1).max(128).nullish(),
  tool_choice: toolChoiceSchema.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  functions: z.array(functionSchema).min(1).max(128).nullish(),
  function_call: z.union([z.enum(['none', 'auto']), z.looseObject({ name: z.string() })]).nullish(),
  response_format: responseFormatSchema(jsonSchema).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
} as const

export const chatBodySchema = z.looseObject({
  ...canonicalFields,
  // From here on: judged, and then kept as `rest` for those who know them.
  user: z.string().nullish(),
  safety_identifier: z.string().max(64).nullish(),
  prompt_cache_key: z.string().nullish(),
  user_security_context: userSecurityContextSchema.nullish(),
  metadata: metadataSchema.nullish(),
  store: z.boolean().nullish(),
  service_tier: z.enum(['auto', 'default', 'flex', 'scale', 'priority']).nullish(),
  reasoning_effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']).nullish(),
  verbosity: z.enum(['low', 'medium', 'high']).nullish(),
  modalities: z
    .array(z.enum(['text', 'audio']))
    .min(1)
    .nullish(),
  audio: audioSchema.nullish(),
  prediction: predictionSchema.nullish(),
  data_sources: z.array(dataSourceSchema).nullish(),
  web_search_options: z.looseObject({}).nullish(),
})

export type ChatBody = z.output<typeof chatBodySchema>
export type MessageBody = z.output<typeof messageSchema>
export type ContentPartBody = z.output<typeof contentPartSchema>

export const chatFields: ReadonlySet<string> = new Set(Object.keys(canonicalFields))
export const messageFields: ReadonlySet<string> = new Set(Object.keys(messageSchema.shape))
