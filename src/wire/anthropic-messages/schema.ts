import { z } from 'zod'

export const wireName = 'anthropic-messages'

/**
 * The request of the Messages API. Objects are loose: what is not named here is kept. Content blocks are judged one by one, by the
 * schema of their type, so that a type of tomorrow passes to an upstream that knows it.
 */

const blocks = z.array(z.looseObject({ type: z.string() }))

const textBlock = z.looseObject({ type: z.literal('text'), text: z.string() })

export const messageSchema = z.looseObject({
  role: z.enum(['user', 'assistant', 'system']),
  content: z.union([z.string(), blocks]),
})

export const toolSchema = z.looseObject({
  type: z.literal('custom').nullish(),
  name: z.string().min(1),
  description: z.string().nullish(),
  input_schema: z.looseObject({}),
  strict: z.boolean().nullish(),
})

export const requestSchema = z.looseObject({
  model: z.string().min(1),
  max_tokens: z.int().min(0),
  messages: z.array(messageSchema).min(1),
  system: z.union([z.string(), z.array(textBlock)]).nullish(),
  stream: z.boolean().nullish(),
  stop_sequences: z.array(z.string()).nullish(),
  temperature: z.number().min(0).max(1).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  top_k: z.int().min(0).nullish(),
  tools: z.array(z.looseObject({ type: z.string().nullish() })).nullish(),
  tool_choice: z
    .looseObject({
      type: z.enum(['auto', 'any', 'tool', 'none']),
      name: z.string().optional(),
      disable_parallel_tool_use: z.boolean().nullish(),
    })
    .nullish(),
  metadata: z.looseObject({ user_id: z.string().nullish() }).nullish(),
  thinking: z.looseObject({ type: z.string() }).nullish(),
  output_config: z
    .looseObject({
      effort: z.string().nullish(),
      format: z.looseObject({ type: z.literal('json_schema'), schema: z.looseObject({}) }).nullish(),
    })
    .nullish(),
})

const toolUseBlock = z.looseObject({
  type: z.literal('tool_use'),
  id: z.string().min(1),
  name: z.string().min(1),
  input: z.looseObject({}),
})

const toolResultBlock = z.looseObject({
  type: z.literal('tool_result'),
  tool_use_id: z.string().min(1),
  content: z.union([z.string(), blocks]).nullish(),
  is_error: z.boolean().nullish(),
})

const imageBlock = z.looseObject({
  type: z.literal('image'),
  source: z.looseObject({
    type: z.string(),
    media_type: z.string().optional(),
    data: z.string().optional(),
    url: z.string().optional(),
  }),
})

const thinkingBlock = z.looseObject({
  type: z.literal('thinking'),
  thinking: z.string(),
  signature: z.string().nullish(),
})

const redactedThinkingBlock = z.looseObject({ type: z.literal('redacted_thinking'), data: z.string() })

export const blockSchemas = {
  text: textBlock,
  image: imageBlock,
  tool_use: toolUseBlock,
  tool_result: toolResultBlock,
  thinking: thinkingBlock,
  redacted_thinking: redactedThinkingBlock,
} as const

export type RequestBody = z.output<typeof requestSchema>
export type MessageBody = z.output<typeof messageSchema>
export type Block = z.output<(typeof blockSchemas)[keyof typeof blockSchemas]>
export type ToolResultBlock = z.output<typeof toolResultBlock>
export type ImageBlock = z.output<typeof imageBlock>
