import { createHash } from 'node:crypto'
import { json, type SeenRequest, type Step, sseHead } from '../support/fake-upstream.ts'

/**
 * Images, audio, moderations and image embeddings as their models' servers answer them. What was sent comes back, or a
 * digest of it, so that a check can tell whether it arrived unharmed. Undefined for everything else.
 */
export async function answerMedia(request: SeenRequest): Promise<readonly Step[] | undefined> {
  const path = new URL(request.path, 'http://upstream').pathname
  const operation = operations.find(([ending]) => path.endsWith(ending))?.[1]
  return operation?.(await readFields(request), path)
}

type Fields = Readonly<Record<string, unknown>>
type Operation = (fields: Fields, path: string) => readonly Step[]

const operations: readonly (readonly [string, Operation])[] = [
  ['/images/generations', generateImage],
  ['/images/edits', editImage],
  ['/images/embeddings', embedImages],
  ['/audio/transcriptions', writeText],
  ['/audio/translations', writeText],
  ['/audio/speech', speak],
  ['/moderations', moderate],
]

/** Of a form, files as their bytes. */
async function readFields({ headers, body, bytes }: SeenRequest): Promise<Fields> {
  const type = headers['content-type'] ?? ''
  if (!type.startsWith('multipart/form-data')) return JSON.parse(body)
  const form = await new Response(bytes as BodyInit, { headers: { 'content-type': type } }).formData()
  const fields = [...form].map(async ([name, value]) => [
    name,
    typeof value === 'string' ? value : Buffer.from(await value.arrayBuffer()),
  ])
  return Object.fromEntries(await Promise.all(fields))
}

const created = 1_760_000_000
const usage = { total_tokens: 12, input_tokens: 7, output_tokens: 5 }
const encode = (value: unknown): string => Buffer.from(value as Uint8Array).toString('base64')

function generateImage({ prompt, stream }: Fields, path: string): readonly Step[] {
  const image = encode(Buffer.from(`picture of ${prompt}`))
  if (path.startsWith('/models')) {
    return json({
      id: 'i',
      object: 'image.generation',
      created,
      model: 'm',
      data: [{ image }],
      usage: { image_generations: 1 },
    })
  }
  if (!stream) return json({ created, data: [{ b64_json: image, revised_prompt: prompt }], usage })
  return sendEvents(
    { type: 'image_generation.partial_image', b64_json: 'AAAA', partial_image_index: 0, created_at: created },
    { type: 'image_generation.completed', b64_json: image, created_at: created, usage },
  )
}

function editImage(fields: Fields): readonly Step[] {
  const images = ['image', 'image[]'].flatMap((name) => fields[name] ?? [])
  return json({ created, data: [{ b64_json: encode(images[0]), revised_prompt: fields.prompt }], usage })
}

function embedImages({ input }: Fields): readonly Step[] {
  const data = (input as { image: string; text?: string }[]).map(({ image, text }, index) => ({
    object: 'embedding',
    index,
    embedding: [image.length, text?.length ?? 0, 0.25, -1.5],
  }))
  return json({ id: 'answer-1', object: 'list', data, model: 'm', usage: { prompt_tokens: 7, total_tokens: 7 } })
}

function writeText({ file, response_format, stream, ...rest }: Fields): readonly Step[] {
  const text = createHash('sha256')
    .update(file as Uint8Array)
    .digest('hex')
  if (stream === 'true') {
    return sendEvents(
      { type: 'transcript.text.delta', delta: text.slice(0, 32) },
      { type: 'transcript.text.delta', delta: text.slice(32) },
      { type: 'transcript.text.done', text },
    )
  }
  if (response_format === 'verbose_json') return json({ task: 'transcribe', duration: 1, text, segments: [], ...rest })
  if (response_format === undefined || response_format === 'json') return json({ text })
  return [{ do: 'head', headers: { 'content-type': 'text/plain; charset=utf-8' } }, { do: 'send', text }, { do: 'end' }]
}

/** Bytes of every value, as many as the text has letters times 1000. */
function speak({ input, stream_format }: Fields): readonly Step[] {
  const audio = Buffer.from(Array.from({ length: String(input).length * 1000 }, (_, index) => (index * 7) % 256))
  if (stream_format === 'sse') {
    return sendEvents({ type: 'speech.audio.delta', audio: encode(audio) }, { type: 'speech.audio.done', usage })
  }
  const head: Step = { do: 'head', headers: { 'content-type': 'audio/mpeg' } }
  return [head, { do: 'send', text: audio.subarray(0, 999) }, { do: 'send', text: audio.subarray(999) }, { do: 'end' }]
}

function moderate({ input, model }: Fields): readonly Step[] {
  const results = [input].flat().map((text) => ({
    flagged: String(text).includes('bad'),
    categories: { violence: String(text).includes('bad') },
    category_scores: { violence: 0.5 },
    category_applied_input_types: { violence: ['text'] },
  }))
  return json({ id: 'modr-1', model, results })
}

/** With their names, and without a terminator: as images and audio are streamed. */
function sendEvents(...events: readonly ({ readonly type: string } & Fields)[]): readonly Step[] {
  const sent = events.map(
    (payload): Step => ({
      do: 'send',
      text: `event: ${payload.type}\ndata: ${JSON.stringify(payload)}\n\n`,
    }),
  )
  return [sseHead, ...sent, { do: 'end' }]
}
