import { z } from 'zod'
import { passServer } from '../passed/pass-on.ts'
import type { ServerEnd } from '../wire.ts'
import { applyExtraParameters, readModelName } from './extra-parameters.ts'
import { writeInferenceFault, writeInferenceStreamFault } from './fault.ts'

export const imageEmbeddingsWire = 'azure-inference-image-embeddings'
export const imagesWire = 'azure-inference-images'

const dataUrl = z.string().regex(/^data:image\/[a-z0-9.+-]+;base64,/i, 'a data URL, data:image/{format};base64,{data}')

const imageEmbeddingsSchema = z.looseObject({
  input: z.array(z.looseObject({ image: dataUrl, text: z.string().nullish() })).min(1),
  model: z.string().nullish(),
  dimensions: z.int().min(1).nullish(),
  encoding_format: z.enum(['base64', 'binary', 'float', 'int8', 'ubinary', 'uint8']).nullish(),
  input_type: z.enum(['text', 'query', 'document']).nullish(),
})

/** Where the API lists values it also takes any other: whether a model has it is for the upstream to say. */
const imagesSchema = z.looseObject({
  prompt: z.string(),
  size: z.union([z.string(), z.looseObject({ width: z.int().min(1), height: z.int().min(1) })]),
  n: z.int().min(1).nullish(),
  negative_prompt: z.string().nullish(),
  image_prompt: z.looseObject({ image: dataUrl, strength: z.number().min(0).max(1).nullish() }).nullish(),
  output_format: z.string().nullish(),
  quality: z.string().nullish(),
  seed: z.int().nullish(),
  model: z.string().nullish(),
})

export const imageEmbeddingsKeys: ReadonlySet<string> = new Set(Object.keys(imageEmbeddingsSchema.shape))
export const imagesKeys: ReadonlySet<string> = new Set(Object.keys(imagesSchema.shape))

const shared = {
  readDeployment: readModelName,
  writeFault: writeInferenceFault,
  writeStreamFault: writeInferenceStreamFault,
}

/** Embeddings of images of the Azure AI Model Inference API, under `/models` and at the root. */
export const inferenceImageEmbeddingsServer: ServerEnd = passServer({
  ...shared,
  wire: imageEmbeddingsWire,
  kind: 'image-embed',
  routes: [
    { method: 'POST', path: '/models/images/embeddings', apiVersion: 'required' },
    { method: 'POST', path: '/images/embeddings', apiVersion: 'required' },
  ],
  schema: imageEmbeddingsSchema,
  pickBody: (input) => applyExtraParameters(input, imageEmbeddingsKeys),
})

/** Images of the same API, in version 2025-05-15-preview. Neither question nor answer is OpenAI's. */
export const inferenceImagesServer: ServerEnd = passServer({
  ...shared,
  wire: imagesWire,
  kind: 'inference-image',
  routes: [
    { method: 'POST', path: '/models/images/generations', apiVersion: 'required' },
    { method: 'POST', path: '/images/generations', apiVersion: 'required' },
  ],
  schema: imagesSchema,
  pickBody: (input) => applyExtraParameters(input, imagesKeys),
})
