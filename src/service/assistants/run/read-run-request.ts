import { z } from 'zod'
import { Fault } from '../../../core/fault.ts'
import type { JsonObject } from '../../../core/json.ts'
import { metadataSchema } from '../../../wire/openai-chat/extras.ts'
import { readBody } from '../../../wire/read-body.ts'
import { messageSchema } from '../read-message.ts'

/** What runs are asked for with. Objects are strict, as the vendor's description says. */

const mostInstructions = 256_000

export const toolSchema = z.discriminatedUnion(
  'type',
  [
    z.strictObject({ type: z.literal('code_interpreter') }),
    z.strictObject({
      type: z.literal('file_search'),
      file_search: z
        .strictObject({
          max_num_results: z.int().min(1).max(50).nullish(),
          ranking_options: z
            .looseObject({ ranker: z.string().nullish(), score_threshold: z.number().min(0).max(1).nullish() })
            .nullish(),
        })
        .nullish(),
    }),
    z.strictObject({
      type: z.literal('function'),
      function: z.strictObject({
        name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, '1 to 64 letters, digits, "_" or "-"'),
        description: z.string().nullish(),
        parameters: z.looseObject({}).nullish(),
        strict: z.boolean().nullish(),
      }),
    }),
  ],
  { error: 'one of "code_interpreter", "file_search", "function"' },
)

export const formatSchema = z.union([
  z.literal('auto'),
  z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('text') }),
    z.strictObject({ type: z.literal('json_object') }),
    z.strictObject({
      type: z.literal('json_schema'),
      json_schema: z.strictObject({
        name: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, '1 to 64 letters, digits, "_" or "-"'),
        description: z.string().nullish(),
        schema: z.looseObject({}),
        strict: z.boolean().nullish(),
      }),
    }),
  ]),
])

const choiceSchema = z.union([
  z.enum(['none', 'auto', 'required']),
  z.strictObject({
    type: z.enum(['function', 'code_interpreter', 'file_search']),
    function: z.strictObject({ name: z.string().min(1) }).nullish(),
  }),
])

const fields = {
  assistant_id: z.string().min(1),
  model: z.string().min(1).nullish(),
  instructions: z.string().max(mostInstructions).nullish(),
  tools: z.array(toolSchema).max(20).nullish(),
  metadata: metadataSchema.nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  stream: z.boolean().nullish(),
  max_prompt_tokens: z.int().min(256).nullish(),
  max_completion_tokens: z.int().min(256).nullish(),
  truncation_strategy: z
    .strictObject({ type: z.enum(['auto', 'last_messages']), last_messages: z.int().min(1).nullish() })
    .nullish(),
  tool_choice: choiceSchema.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  response_format: formatSchema.nullish(),
  reasoning_effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']).nullish(),
} as const

const runSchema = z.strictObject({
  ...fields,
  additional_instructions: z.string().max(mostInstructions).nullish(),
  additional_messages: z.array(messageSchema).max(100).nullish(),
  /** Some clients repeat the path's; an old description asks for it. */
  thread_id: z.string().nullish(),
})

const threadAndRunSchema = z.strictObject({
  ...fields,
  thread: z.looseObject({}).nullish(),
  tool_resources: z.looseObject({}).nullish(),
})

export type RunBody = z.output<typeof runSchema>
export type ThreadAndRunBody = z.output<typeof threadAndRunSchema>

/** Throws Fault `invalid-request` naming the field. */
export function readRunBody(body: JsonObject): RunBody {
  const read = readBody(runSchema, body)
  checkTruncation(read)
  return read
}

/** Throws Fault `invalid-request` naming the field. */
export function readThreadAndRunBody(body: JsonObject): ThreadAndRunBody {
  const read = readBody(threadAndRunSchema, body)
  checkTruncation(read)
  return read
}

function checkTruncation({ truncation_strategy: strategy }: Pick<RunBody, 'truncation_strategy'>): void {
  if (strategy?.type !== 'last_messages' || typeof strategy.last_messages === 'number') return
  throw new Fault(
    'invalid-request',
    "Missing required parameter: 'truncation_strategy.last_messages'. It says how many of the last messages are shown to the model.",
    { param: 'truncation_strategy.last_messages' },
  )
}

const outputsSchema = z.strictObject({
  tool_outputs: z.array(z.strictObject({ tool_call_id: z.string().min(1), output: z.string().nullish() })).max(128),
  stream: z.boolean().nullish(),
})

/** Throws Fault `invalid-request` naming the field, and for an output that is given twice. */
export function readOutputs(body: JsonObject): {
  readonly outputs: ReadonlyMap<string, string>
  readonly stream: boolean
} {
  const { tool_outputs: given, stream } = readBody(outputsSchema, body)
  const outputs = new Map<string, string>()
  for (const [index, { tool_call_id: id, output }] of given.entries()) {
    if (outputs.has(id)) {
      const param = `tool_outputs[${index}].tool_call_id`
      throw new Fault(
        'invalid-request',
        `Invalid value for '${param}': ${JSON.stringify(id.slice(0, 64))} has an output already.`,
        { param },
      )
    }
    outputs.set(id, output ?? '')
  }
  return { outputs, stream: stream ?? false }
}
