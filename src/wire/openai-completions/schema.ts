import { z } from 'zod'
import { samplingFields } from '../openai-chat/schema.ts'

/** One text as ids of the model's own vocabulary. */
export const tokenIds = z.array(z.int().min(0)).min(1)

const maxInputs = 2048

/** One text or several, or one list of token ids or several. Ids of one text may be any number. */
export const textInputs = <T extends z.ZodType<string>>(text: T) =>
  z
    .union([text, z.array(text).min(1), tokenIds, z.array(tokenIds).min(1)])
    .refine(
      (inputs) => typeof inputs === 'string' || typeof inputs[0] === 'number' || inputs.length <= maxInputs,
      `at most ${maxInputs} items`,
    )
    .describe(`text, token ids, or a list of at most ${maxInputs} of either`)

const canonicalFields = {
  ...samplingFields,
  model: z.string().nullish(),
  prompt: textInputs(z.string()).nullish(),
  suffix: z.string().nullish(),
  echo: z.boolean().nullish(),
  best_of: z.int().min(0).max(20).nullish(),
  logprobs: z.int().min(0).max(5).nullish(),
} as const

export const completionBodySchema = z.looseObject({ ...canonicalFields, user: z.string().nullish() })

export const completionFields: ReadonlySet<string> = new Set(Object.keys(canonicalFields))
