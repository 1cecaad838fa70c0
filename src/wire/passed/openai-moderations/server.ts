import { z } from 'zod'
import type { CallInput, ServerEnd } from '../../wire.ts'
import { passServer } from '../pass-on.ts'

export const moderationWire = 'openai-moderations'

/** The model of a request that names none, as OpenAI has it. */
const defaultModel = 'omni-moderation-latest'

export const moderationBodySchema = z.looseObject({
  model: z.string().nullish(),
  input: z.union([
    z.string(),
    z.array(z.string()),
    z.array(
      z.union([
        z.looseObject({ type: z.literal('text'), text: z.string() }),
        z.looseObject({ type: z.literal('image_url'), image_url: z.looseObject({ url: z.string() }) }),
      ]),
    ),
  ]),
})

/** Moderations as OpenAI offers them; the AzureOpenAI classes ask below `/openai`. */
export const openaiModerationsServer: ServerEnd = passServer({
  wire: moderationWire,
  kind: 'moderate',
  routes: [
    { method: 'POST', path: '/openai/v1/moderations', apiVersion: 'optional' },
    { method: 'POST', path: '/openai/moderations', apiVersion: 'required' },
  ],
  schema: moderationBodySchema,
  readDeployment: ({ body, header }: CallInput) =>
    typeof body.model === 'string' && body.model !== ''
      ? body.model
      : (header('x-ms-model-mesh-model-name') ?? defaultModel),
})
