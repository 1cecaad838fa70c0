import { z } from 'zod'
import { Fault } from '../../core/fault.ts'
import type { JsonObject } from '../../core/json.ts'
import { metadataSchema } from '../../wire/openai-chat/extras.ts'
import { readBody } from '../../wire/read-body.ts'
import { readEndpoint } from './endpoints.ts'

/** What somebody asks for who makes a batch. */
export type BatchRequest = {
  readonly inputFileId: string
  readonly endpoint: string
  readonly completionWindow: string
  readonly metadata: JsonObject | undefined
  /** Seconds. */
  readonly outputExpiresAfter: number | undefined
}

const hourSeconds = 3_600

const schema = z.looseObject({
  input_file_id: z.string().min(1),
  endpoint: z.string(),
  completion_window: z.literal('24h'),
  metadata: metadataSchema.nullish(),
  output_expires_after: z
    .strictObject({
      anchor: z.literal('created_at'),
      seconds: z
        .int()
        .min(hourSeconds)
        .max(30 * 24 * hourSeconds),
    })
    .nullish(),
})

/** `model` is what clients put there that make their address of it. */
const known = new Set([...Object.keys(schema.shape), 'model'])

/** Where others read from or write to, by an address; files of this server are the one place. */
const addresses = new Set(['input_blob', 'output_folder'])

/** Throws Fault `invalid-request` naming the field. */
export function readBatchRequest(body: JsonObject): BatchRequest {
  for (const field in body) if (!known.has(field) && body[field] !== null) throw refuseField(field)
  const read = readBody(schema, body)
  readEndpoint(read.endpoint)
  return {
    inputFileId: read.input_file_id,
    endpoint: read.endpoint,
    completionWindow: read.completion_window,
    metadata: read.metadata ?? undefined,
    outputExpiresAfter: read.output_expires_after?.seconds,
  }
}

function refuseField(field: string): Fault {
  const shown = field.slice(0, 64)
  const why = addresses.has(field)
    ? 'this server reads and writes no addresses that a request names. Upload the input, and name it by its input_file_id; the results are files too'
    : `there is no such field. A batch has ${[...known].slice(0, -1).join(', ')}`
  return new Fault('invalid-request', `Invalid value for '${shown}': ${why}.`, { param: shown })
}
