import { z } from 'zod'
import { textInputs } from '../openai-completions/schema.ts'

const canonicalFields = {
  model: z.string().nullish(),
  /** Unlike a prompt, an input may not be empty: there would be nothing to embed. */
  input: textInputs(z.string().min(1)),
  dimensions: z.int().min(1).nullish(),
  encoding_format: z.enum(['float', 'base64']).nullish(),
  input_type: z.string().nullish(),
} as const

export const embeddingBodySchema = z.looseObject({ ...canonicalFields, user: z.string().nullish() })

export type EmbeddingBody = z.output<typeof embeddingBodySchema>

export const embeddingFields: ReadonlySet<string> = new Set(Object.keys(canonicalFields))
