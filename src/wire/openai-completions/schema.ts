import { z } from 'zod'
import { samplingFields } from '../openai-chat/schema.ts'

const tokens = z.array(z.int().min(0)).min(1)

export const textInputSchema = z.union([
  z.string(),
  z.array(z.string()).min(1).max(2048),
  tokens,
  z.array(tokens).min(1).max(2048),
])

export const completionBodySchema = z.looseObject({
  ...samplingFields,
  model: z.string().nullish(),
  prompt: textInputSchema.nullish(),
  suffix: z.string().nullish(),
  echo: z.boolean().nullish(),
  best_of: z.int().min(0).max(20).nullish(),
  logprobs: z.int().min(0).max(5).nullish(),
})

export const completionFields: ReadonlySet<string> = new Set(Object.keys(completionBodySchema.shape))
