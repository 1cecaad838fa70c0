import { z } from 'zod'
import { Fault } from '../../core/fault.ts'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import type { ItemRow } from '../../port/tables/runs/port.ts'
import { metadataSchema } from '../../wire/openai-chat/extras.ts'
import { readBody } from '../../wire/read-body.ts'
import { objectsOf } from '../runs/kept-beside.ts'

const mostText = 256_000
const detail = z.enum(['auto', 'low', 'high']).nullish()

const partSchema = z.discriminatedUnion(
  'type',
  [
    z.strictObject({ type: z.literal('text'), text: z.string().max(mostText) }),
    z.strictObject({
      type: z.literal('image_file'),
      image_file: z.strictObject({ file_id: z.string().min(1), detail }),
    }),
    z.strictObject({ type: z.literal('image_url'), image_url: z.strictObject({ url: z.string().min(1), detail }) }),
  ],
  { error: 'one of "text", "image_file", "image_url"' },
)

export const messageSchema = z.strictObject({
  role: z.enum(['user', 'assistant']),
  content: z.union([z.string().max(mostText), z.array(partSchema).min(1)]),
  attachments: z
    .array(
      z.strictObject({
        file_id: z.string().min(1),
        tools: z.array(z.looseObject({ type: z.enum(['code_interpreter', 'file_search']) })).nullish(),
      }),
    )
    .nullish(),
  metadata: metadataSchema.nullish(),
})

/** Where a new message lies. */
export type NewMessage = Pick<ItemRow, 'id' | 'owner' | 'homeId' | 'runId' | 'createdAt'>

/** A message as the Assistants API takes it. Throws Fault `invalid-request` naming the field below `at`. */
export function readMessage(body: JsonObject, place: NewMessage, at: readonly PropertyKey[] = []): ItemRow {
  const { role, content, attachments, metadata } = readBody(messageSchema, body, at)
  const isEmpty = content === '' && !attachments?.length
  if (isEmpty) {
    throw new Fault('invalid-request', 'Message content must be non-empty.', { param: [...at, 'content'].join('.') })
  }
  const type = role === 'user' ? 'input_text' : 'output_text'
  const parts: JsonObject[] =
    typeof content === 'string'
      ? [writeText(type, content)]
      : objectsOf(content as JsonObject[]).map((part) => writePart(part, type))
  return {
    ...place,
    isInput: true,
    type: 'message',
    status: 'completed',
    document: { type: 'message', role, content: parts },
    extras: { metadata: (metadata ?? {}) as JsonObject, attachments: (attachments ?? []) as JsonObject[] },
    endedAt: place.createdAt,
  }
}

function writeText(type: string, text: string): JsonObject {
  return type === 'output_text' ? { type, text, annotations: [] } : { type, text }
}

function writePart(part: JsonObject, textType: string): JsonObject {
  const { type, text, image_file: file, image_url: url } = part
  if (type === 'text') return writeText(textType, String(text))
  if (type === 'image_file' && isJsonObject(file)) {
    return { type: 'input_image', file_id: file.file_id ?? '', detail: file.detail ?? 'auto' }
  }
  const image = isJsonObject(url) ? url : {}
  return { type: 'input_image', image_url: image.url ?? '', detail: image.detail ?? 'auto' }
}
