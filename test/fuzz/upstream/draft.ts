import type { CallKind } from '../../../src/core/call.ts'
import { writeJson } from '../json-text.ts'
import { createRandom, type Random } from '../random.ts'
import type { AnswerEvent, GoodAnswer } from './good-answers.ts'

/** The credential the server has for the upstream, which says it back: it must never be found in an answer. */
export const upstreamSecret = 'sk-planted-upstream-5f1d9c3b7a'

/** What an upstream was asked, as far as an answer depends on it. */
export type UpstreamQuestion = {
  readonly wire: string
  readonly kind: CallKind
  readonly isStream: boolean
  /** What the caller wants to hear again. */
  readonly text: string
  /** Whether the answer shall be JSON. */
  readonly isJson: boolean
  readonly body: Buffer
}

/** What goes over the upstream's socket. */
export type UpstreamScript = {
  readonly pieces: readonly Buffer[]
  readonly gapMs: number
  readonly ending: 'keep' | 'fin' | 'reset' | 'stall' | 'flood'
  readonly flood?: Buffer | undefined
  /** Names of the mutations, for people. */
  readonly names: readonly string[]
}

/** An answer that can still be changed in all its parts. */
export type AnswerDraft = {
  statusLine: string
  headers: [string, string][]
  events: AnswerEvent[] | undefined
  terminator: string
  value: unknown
  bytes: Buffer | undefined
  textEdits: ((text: string) => string)[]
  bodyEdits: ((body: Buffer) => Buffer)[]
  framing: 'chunked' | 'length' | 'close'
  lengthOffset: number
  chunkEdits: ((framed: Buffer) => Buffer)[]
  wireEdits: ((wire: Buffer) => Buffer)[]
  cut: 'whole' | 'pieces' | 'drip'
  gapMs: number
  ending: UpstreamScript['ending']
  flood?: Buffer
}

export type AnswerMutation = {
  readonly name: string
  readonly weight?: number
  apply(draft: AnswerDraft, random: Random): void
}

export function renderGood(answer: GoodAnswer): UpstreamScript {
  return render(draftOf(answer), createRandom(0), [])
}

export function draftOf(answer: GoodAnswer): AnswerDraft {
  const type =
    answer.form === 'events' ? 'text/event-stream' : answer.form === 'whole' ? 'application/json' : answer.contentType
  return {
    statusLine: 'HTTP/1.1 200 OK',
    headers: [['content-type', type]],
    events: answer.form === 'events' ? [...answer.events] : undefined,
    terminator: answer.form === 'events' ? answer.terminator : '',
    value: answer.form === 'whole' ? answer.value : undefined,
    bytes: answer.form === 'bytes' ? answer.bytes : undefined,
    textEdits: [],
    bodyEdits: [],
    framing: answer.form === 'events' ? 'chunked' : 'length',
    lengthOffset: 0,
    chunkEdits: [],
    wireEdits: [],
    cut: 'whole',
    gapMs: 0,
    ending: 'keep',
  }
}

export function writeEvent({ name, data }: AnswerEvent): string {
  return `${name === undefined ? '' : `event: ${name}\n`}data: ${writeJson(data)}\n\n`
}

export function render(draft: AnswerDraft, random: Random, names: readonly string[]): UpstreamScript {
  let text = draft.events ? draft.events.map(writeEvent).join('') + draft.terminator : ''
  if (!draft.events && !draft.bytes) text = writeJson(draft.value)
  for (const edit of draft.textEdits) text = edit(text)
  let body: Buffer = draft.bytes ?? Buffer.from(text)
  for (const edit of draft.bodyEdits) body = edit(body)
  const headers = [...draft.headers]
  if (draft.framing === 'length') headers.push(['content-length', String(body.length + draft.lengthOffset)])
  if (draft.framing === 'chunked') headers.push(['transfer-encoding', 'chunked'])
  if (draft.framing === 'close') headers.push(['connection', 'close'])
  let framed: Buffer = draft.framing === 'chunked' ? writeChunks(body, random) : body
  for (const edit of draft.chunkEdits) framed = edit(framed)
  const head = `${draft.statusLine}\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
  let wire: Buffer = Buffer.concat([Buffer.from(head, 'latin1'), framed])
  for (const edit of draft.wireEdits) wire = edit(wire)
  const ending = draft.framing === 'close' && draft.ending === 'keep' ? 'fin' : draft.ending
  return { pieces: cutUp(wire, draft.cut, random), gapMs: draft.gapMs, ending, flood: draft.flood, names }
}

function writeChunks(body: Buffer, random: Random): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at < body.length; ) {
    const size = random.chance(0.5) ? body.length - at : random.int(1, Math.max(1, Math.ceil(body.length / 4)))
    const chunk = body.subarray(at, at + size)
    parts.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n'))
    at += size
  }
  parts.push(Buffer.from('0\r\n\r\n'))
  return Buffer.concat(parts)
}

function cutUp(wire: Buffer, how: AnswerDraft['cut'], random: Random): Buffer[] {
  if (how === 'whole' || wire.length < 2) return [wire]
  const size = how === 'drip' ? Math.max(1, Math.ceil(wire.length / 400)) : 0
  const pieces: Buffer[] = []
  for (let at = 0; at < wire.length; ) {
    const step = size || random.int(1, Math.ceil(wire.length / 5))
    pieces.push(wire.subarray(at, at + step))
    at += step
  }
  return pieces
}
