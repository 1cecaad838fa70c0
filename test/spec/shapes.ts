import type { JsonObject } from '../../src/core/json.ts'

/** What the APIs promise of their answers, as far as clients rely on it. Facts from the vendors' descriptions and from the wire. */

const text = { type: 'string' }
const some = { type: 'string', minLength: 1 }
const count = { type: 'integer', minimum: 0 }
const textOrNull = { type: ['string', 'null'] }

const object = (required: JsonObject, optional: JsonObject = {}): JsonObject => ({
  type: 'object',
  required: Object.keys(required),
  properties: { ...required, ...optional },
})
const list = (items: JsonObject, minItems = 0): JsonObject => ({ type: 'array', items, minItems })
const orNull = (schema: JsonObject): JsonObject => ({ anyOf: [{ type: 'null' }, schema] })

const usage = object({ prompt_tokens: count, completion_tokens: count, total_tokens: count })
const toolCall = object({
  id: some,
  type: { const: 'function' },
  function: object({ name: some, arguments: text }),
})
const toolCallDelta = object(
  { index: count, function: object({}, { name: text, arguments: text }) },
  { id: some, type: { const: 'function' } },
)
const functionCall = object({ name: some, arguments: text })
const reason = { enum: ['stop', 'length', 'tool_calls', 'content_filter', 'function_call'] }
const tokens = list(
  object({
    token: text,
    logprob: { type: 'number' },
    bytes: orNull(list(count)),
    top_logprobs: list(object({ token: text, logprob: { type: 'number' }, bytes: orNull(list(count)) })),
  }),
)

const openaiId = { type: 'string', pattern: '^chatcmpl-[A-Za-z0-9]{29}$' }
/** Without hyphens as its models have them, or with, as its OpenAI models do not. */
const inferenceId = { type: 'string', pattern: '^[0-9a-f]{32}$' }

const chatAnswer = (id: JsonObject, message: JsonObject, more: JsonObject): JsonObject =>
  object({
    id,
    object: { const: 'chat.completion' },
    created: count,
    model: some,
    choices: list(object({ index: count, finish_reason: reason, message }), 1),
    usage,
    ...more,
  })

const delta = object(
  {},
  {
    role: { const: 'assistant' },
    content: textOrNull,
    refusal: textOrNull,
    tool_calls: list(toolCallDelta, 1),
    function_call: object({}, { name: text, arguments: text }),
  },
)
const chunkOf = (id: JsonObject, more: JsonObject, minChoices: number): JsonObject =>
  object({
    id,
    object: { const: 'chat.completion.chunk' },
    created: count,
    model: some,
    choices: list(object({ index: count, delta, finish_reason: orNull(reason) }), minChoices),
    ...more,
  })

const openaiMessage = object(
  { role: { const: 'assistant' }, content: textOrNull, refusal: textOrNull },
  { tool_calls: list(toolCall, 1), function_call: functionCall },
)
const inferenceMessage = object(
  { role: { const: 'assistant' }, content: textOrNull, tool_calls: orNull(list(toolCall, 1)) },
  { reasoning_content: text },
)

const completionLogprobs = object({
  tokens: list(text),
  token_logprobs: list({ type: 'number' }),
  top_logprobs: list({ type: 'object' }),
  text_offset: list(count),
})
const completion = object({
  id: { type: 'string', pattern: '^cmpl-[A-Za-z0-9]{29}$' },
  object: { const: 'text_completion' },
  created: count,
  model: some,
  choices: list(object({ index: count, text, logprobs: orNull(completionLogprobs), finish_reason: orNull(reason) })),
})

const vectors = list(
  object({
    object: { const: 'embedding' },
    index: count,
    embedding: { anyOf: [list({ type: 'number' }, 1), { type: 'string', pattern: '^[A-Za-z0-9+/]+=*$' }] },
  }),
  1,
)
const embeddings = (more: JsonObject): JsonObject =>
  object({
    object: { const: 'list' },
    data: vectors,
    model: some,
    usage: object({ prompt_tokens: count, total_tokens: count }),
    ...more,
  })

const storedCompletion = chatAnswer(openaiId, openaiMessage, {
  request_id: some,
  metadata: { type: 'object', additionalProperties: text },
  input_user: textOrNull,
  tools: orNull(list({ type: 'object' }, 1)),
  tool_choice: { type: ['string', 'object', 'null'] },
  response_format: { type: ['object', 'null'] },
  seed: { type: ['integer', 'null'] },
  temperature: { type: 'number' },
  top_p: { type: 'number' },
  presence_penalty: { type: 'number' },
  frequency_penalty: { type: 'number' },
  service_tier: textOrNull,
})
const page = (items: JsonObject): JsonObject =>
  object({
    object: { const: 'list' },
    data: list(items, 1),
    first_id: some,
    last_id: some,
    has_more: { type: 'boolean' },
  })

const model = object({ id: some, object: { const: 'model' }, created: count, owned_by: some })
const inferenceError = object(
  { code: some, message: some },
  { target: some, details: { anyOf: [text, list({ type: 'object' })] } },
)

export const shapes = {
  'chat, Azure OpenAI': chatAnswer(openaiId, openaiMessage, { system_fingerprint: textOrNull }),
  'chat chunk, Azure OpenAI': chunkOf(openaiId, { system_fingerprint: textOrNull }, 0),
  'chat, inference': chatAnswer(inferenceId, inferenceMessage, {}),
  'chat chunk, inference': chunkOf(inferenceId, {}, 1),
  'log probabilities': object({ content: tokens }),
  completion,
  'stored completion': storedCompletion,
  'stored completions': page(storedCompletion),
  'stored messages': page(
    object({
      id: { type: 'string', pattern: '^chatcmpl-[A-Za-z0-9]{29}-\\d+$' },
      role: some,
      content: textOrNull,
      name: textOrNull,
      refusal: textOrNull,
      content_parts: orNull(list({ type: 'object' }, 1)),
    }),
  ),
  'deleted completion': object({
    id: openaiId,
    object: { const: 'chat.completion.deleted' },
    deleted: { const: true },
  }),
  'embeddings, Azure OpenAI': embeddings({}),
  'embeddings, inference': embeddings({ id: some }),
  info: object({
    model_name: some,
    model_type: { enum: ['chat-completion', 'chat_completion', 'embeddings'] },
    model_provider_name: some,
  }),
  model,
  models: object({ object: { const: 'list' }, data: list(model, 1) }),
  'base models': object({
    object: { const: 'list' },
    data: list(
      object({
        id: some,
        object: { const: 'model' },
        status: { const: 'succeeded' },
        created_at: count,
        updated_at: count,
        lifecycle_status: some,
        deprecation: object({ inference: count }),
        capabilities: object(
          Object.fromEntries(
            ['fine_tune', 'inference', 'completion', 'chat_completion', 'embeddings'].map((name) => [
              name,
              { type: 'boolean' },
            ]),
          ),
        ),
      }),
      1,
    ),
  }),
  deployments: object({
    object: { const: 'list' },
    data: list(object({ id: some, object: { const: 'deployment' }, model: some, status: some }), 1),
  }),
  'error, Azure OpenAI': object({
    error: object({ code: textOrNull, message: some, param: textOrNull, type: textOrNull }),
  }),
  'error, inference': object({ error: inferenceError }),
  'unsupported value, inference': object({
    error: inferenceError,
    status: { const: 422 },
    code: { const: 'parameter_not_supported' },
    message: some,
    detail: list(object({ loc: list(text, 1) }, {}), 1),
  }),
  'extra parameters, inference': object({ detail: { type: 'string', pattern: '^Extra parameters \\[' } }),
} as const satisfies Record<string, JsonObject>

export type ShapeName = keyof typeof shapes
