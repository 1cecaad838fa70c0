import { z } from 'zod'
import { chatBodySchema, responseFormatSchema } from '../openai-chat/schema.ts'
import { embeddingBodySchema } from '../openai-embeddings/schema.ts'

/**
 * Requests of the Azure AI Model Inference API, over all its versions. Where OpenAI's models take more than the specification says,
 * the wider range holds, since they are among the models behind this API: `temperature` to 2, a single text for `stop` and `input`.
 */

export const inferenceChatBodySchema = chatBodySchema.extend({
  max_tokens: z.int().min(0).nullish(),
  stop: z.union([z.string(), z.array(z.string()).min(1)]).nullish(),
  response_format: responseFormatSchema(z.looseObject({})).nullish(),
})

export const inferenceEmbeddingBodySchema = embeddingBodySchema.extend({
  encoding_format: z.enum(['float', 'base64', 'int8', 'uint8', 'binary', 'ubinary']).nullish(),
  input_type: z.enum(['text', 'query', 'document']).nullish(),
})

/** Body keys the API defines. Everything else is an extra parameter. */
export const chatKeys: ReadonlySet<string> = new Set([
  'messages',
  'model',
  'stream',
  'temperature',
  'top_p',
  'frequency_penalty',
  'presence_penalty',
  'max_tokens',
  'response_format',
  'stop',
  'tools',
  'tool_choice',
  'seed',
  'modalities',
  'user_security_context',
])

export const embeddingKeys: ReadonlySet<string> = new Set([
  'input',
  'model',
  'dimensions',
  'encoding_format',
  'input_type',
])
