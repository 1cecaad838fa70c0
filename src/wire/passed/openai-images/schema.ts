import { z } from 'zod'
import { formFlag, formNumber } from '../form-rules.ts'

/** Images as OpenAI and Azure OpenAI define them. What a model takes of sizes and lengths is for the upstream to judge. */

const qualities = z.enum(['standard', 'hd', 'low', 'medium', 'high', 'auto'])
const formats = z.enum(['png', 'jpeg', 'webp'])
const backgrounds = z.enum(['transparent', 'opaque', 'auto'])
const moderations = z.enum(['low', 'auto'])
const fidelities = z.enum(['high', 'low'])
const encodings = z.enum(['url', 'b64_json'])
const count = (number: z.ZodNumber | z.ZodCoercedNumber) => number.int().min(1).max(10)
const compression = (number: z.ZodNumber | z.ZodCoercedNumber) => number.int().min(0).max(100)
const partials = (number: z.ZodNumber | z.ZodCoercedNumber) => number.int().min(0).max(3)

const shared = {
  model: z.string().nullish(),
  prompt: z.string(),
  n: count(z.number()).nullish(),
  size: z.string().nullish(),
  quality: qualities.nullish(),
  output_format: formats.nullish(),
  output_compression: compression(z.number()).nullish(),
  background: backgrounds.nullish(),
  moderation: moderations.nullish(),
  partial_images: partials(z.number()).nullish(),
  stream: z.boolean().nullish(),
  user: z.string().nullish(),
}

export const imageBodySchema = z.looseObject({
  ...shared,
  response_format: encodings.nullish(),
  style: z.enum(['vivid', 'natural']).nullish(),
})

const imageReference = z.looseObject({ image_url: z.string().nullish(), file_id: z.string().nullish() })

/** An edit whose images are named rather than sent. */
export const imageEditBodySchema = z.looseObject({
  ...shared,
  images: z.array(imageReference).min(1).max(16),
  mask: imageReference.nullish(),
  input_fidelity: fidelities.nullish(),
})

export const imageEditFields = {
  prompt: z.string(),
  n: count(formNumber),
  quality: qualities,
  response_format: encodings,
  output_format: formats,
  output_compression: compression(formNumber),
  background: backgrounds,
  moderation: moderations,
  input_fidelity: fidelities,
  partial_images: partials(formNumber),
  stream: formFlag,
}
