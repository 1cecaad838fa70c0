import { z } from 'zod'
import { textInputSchema } from '../openai-completions/schema.ts'

export const embeddingBodySchema = z.looseObject({
  model: z.string().nullish(),
  input: textInputSchema,
  dimensions: z.int().min(1).nullish(),
  encoding_format: z.enum(['float', 'base64']).nullish(),
  input_type: z.string().nullish(),
})

export const embeddingFields: ReadonlySet<string> = new Set(Object.keys(embeddingBodySchema.shape))
