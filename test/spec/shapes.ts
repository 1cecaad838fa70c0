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

const annotation = object({ type: some })
const outputText = object({ type: { const: 'output_text' }, text, annotations: list(annotation), logprobs: list({}) })
const refusalPart = object({ type: { const: 'refusal' }, refusal: text })
const itemStatus = { enum: ['in_progress', 'completed', 'incomplete'] }
const outputItem = {
  anyOf: [
    object({
      id: { type: 'string', pattern: '^msg_[0-9a-f]{48}$' },
      type: { const: 'message' },
      role: { const: 'assistant' },
      status: itemStatus,
      content: list({ anyOf: [outputText, refusalPart] }),
    }),
    object({
      id: { type: 'string', pattern: '^fc_[0-9a-f]{48}$' },
      type: { const: 'function_call' },
      call_id: some,
      name: some,
      arguments: text,
      status: itemStatus,
    }),
    object({
      id: { type: 'string', pattern: '^rs_[0-9a-f]{48}$' },
      type: { const: 'reasoning' },
      summary: list(object({ type: { const: 'summary_text' }, text })),
    }),
  ],
}
const responseUsage = object({
  input_tokens: count,
  input_tokens_details: object({ cached_tokens: count, cache_write_tokens: count }),
  output_tokens: count,
  output_tokens_details: object({ reasoning_tokens: count }),
  total_tokens: count,
})
const response = object({
  id: { type: 'string', pattern: '^resp_[0-9a-f]{48}$' },
  object: { const: 'response' },
  created_at: count,
  status: { enum: ['completed', 'incomplete', 'in_progress', 'failed'] },
  background: { const: false },
  error: orNull(object({ code: some, message: some })),
  incomplete_details: orNull(object({ reason: { enum: ['max_output_tokens', 'content_filter'] } })),
  instructions: textOrNull,
  max_output_tokens: { type: ['integer', 'null'] },
  model: some,
  output: list(outputItem),
  parallel_tool_calls: { type: 'boolean' },
  previous_response_id: { type: 'null' },
  reasoning: object({ effort: textOrNull, summary: textOrNull }),
  service_tier: some,
  store: { const: false },
  temperature: { type: 'number' },
  text: object({ format: object({ type: some }), verbosity: some }),
  tool_choice: { type: ['string', 'object'] },
  tools: list(object({ type: some })),
  top_p: { type: 'number' },
  truncation: some,
  usage: orNull(responseUsage),
  metadata: { type: 'object' },
})
const eventOf = (type: string, fields: JsonObject): JsonObject =>
  object({ type: { const: type }, sequence_number: count, ...fields })
const itemPlace = { output_index: count, item_id: some }
const partPlace = { ...itemPlace, content_index: count }
const summaryPlace = { ...itemPlace, summary_index: count }
const part = { anyOf: [outputText, refusalPart, object({ type: { const: 'reasoning_text' }, text })] }
const responseEvent = {
  anyOf: [
    ...['created', 'in_progress', 'completed', 'incomplete', 'failed'].map((name) =>
      eventOf(`response.${name}`, { response }),
    ),
    eventOf('response.output_item.added', { output_index: count, item: outputItem }),
    eventOf('response.output_item.done', { output_index: count, item: outputItem }),
    eventOf('response.content_part.added', { ...partPlace, part }),
    eventOf('response.content_part.done', { ...partPlace, part }),
    eventOf('response.output_text.delta', { ...partPlace, delta: text, logprobs: list({}) }),
    eventOf('response.output_text.done', { ...partPlace, text, logprobs: list({}) }),
    eventOf('response.refusal.delta', { ...partPlace, delta: text }),
    eventOf('response.refusal.done', { ...partPlace, refusal: text }),
    eventOf('response.reasoning_text.delta', { ...partPlace, delta: text }),
    eventOf('response.reasoning_text.done', { ...partPlace, text }),
    eventOf('response.reasoning_summary_part.added', { ...summaryPlace, part: object({ type: some, text }) }),
    eventOf('response.reasoning_summary_part.done', { ...summaryPlace, part: object({ type: some, text }) }),
    eventOf('response.reasoning_summary_text.delta', { ...summaryPlace, delta: text }),
    eventOf('response.reasoning_summary_text.done', { ...summaryPlace, text }),
    eventOf('response.function_call_arguments.delta', { ...itemPlace, delta: text }),
    eventOf('response.function_call_arguments.done', { ...itemPlace, name: some, arguments: text }),
  ],
}

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
  response,
  'event of a response': responseEvent,
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
