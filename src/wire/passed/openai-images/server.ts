import { writeOpenAIImageFault, writeOpenAIImageStreamFault } from '../../faults/openai-fault.ts'
import type { ServerEnd } from '../../wire.ts'
import { createFormRules } from '../form-rules.ts'
import { passServer } from '../pass-on.ts'
import { imageBodySchema, imageEditBodySchema, imageEditFields } from './schema.ts'

export const imageWire = 'openai-images'
export const imageEditWire = 'openai-image-edits'

const faults = { writeFault: writeOpenAIImageFault, writeStreamFault: writeOpenAIImageStreamFault } as const

/** Image generation as Azure OpenAI (dated and v1) offers it. */
export const openaiImagesServer: ServerEnd = passServer({
  wire: imageWire,
  kind: 'image',
  routes: [
    { method: 'POST', path: '/openai/deployments/{deployment}/images/generations', apiVersion: 'required' },
    { method: 'POST', path: '/openai/v1/images/generations', apiVersion: 'optional' },
  ],
  schema: imageBodySchema,
  ...faults,
})

/** Edits of images that the form holds, or a JSON body names. The AzureOpenAI class for Node posts to the route without a deployment. */
export const openaiImageEditsServer: ServerEnd = passServer({
  wire: imageEditWire,
  kind: 'image-edit',
  routes: [
    { method: 'POST', path: '/openai/deployments/{deployment}/images/edits', apiVersion: 'required' },
    { method: 'POST', path: '/openai/images/edits', apiVersion: 'required' },
    { method: 'POST', path: '/openai/v1/images/edits', apiVersion: 'optional' },
  ],
  schema: imageEditBodySchema,
  ...faults,
  form: createFormRules({ fields: imageEditFields, required: ['image', 'prompt'] }),
})
