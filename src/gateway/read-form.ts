import type { Form } from '../core/call.ts'
import { Fault } from '../core/fault.ts'
import type { JsonObject } from '../core/json.ts'
import { createFormParser, type FormPiece, readBoundary, writeFormField } from '../wire/passed/form-parser.ts'
import type { FormRules } from '../wire/wire.ts'
import type { SetTurn } from './server.ts'

export type FormLimits = {
  /** Of the whole form. */
  readonly maxFormBytes: number
  /** Of what is held while the form has not named its model. */
  readonly maxHeldBytes: number
}

export type FormBody = { readonly text: ''; readonly body: JsonObject; readonly form: Form }

/** Sixteen images of 20 MiB, and room for the rest. */
export const maxFormBytes = 336 * 1024 * 1024

export function hasForm(request: Request): boolean {
  return /^multipart\/form-data\b/i.test(request.headers.get('content-type') ?? '')
}

/**
 * Reads a form as far as it must be known: to its first file, or to its `model` where nothing but the form names the deployment.
 * The rest is read when the form is written. Every field is judged as it passes, which may be after the first byte has gone out;
 * the upstream then never sees the form's end. Throws Faults `invalid-request`, `body-too-large`, and `client-gone` when the
 * connection ends first.
 */
export async function readForm(
  request: Request,
  rules: FormRules,
  isNamed: boolean,
  limits: FormLimits,
  setTurn: SetTurn,
): Promise<FormBody> {
  const contentType = request.headers.get('content-type') ?? ''
  const boundary = readBoundary(contentType)
  if (Number(request.headers.get('content-length') ?? 0) > limits.maxFormBytes) throw tooLarge(limits.maxFormBytes)
  const pieces = judgePieces(readPieces(readBytes(request, limits.maxFormBytes, setTurn), boundary), rules)
  const { held, fields } = await readHead(pieces, isNamed, limits.maxHeldBytes)
  let isSpent = false
  const form: Form = {
    contentType,
    get isSpent() {
      return isSpent
    },
    async *write(model) {
      if (isSpent) throw new TypeError('a form was read twice')
      isSpent = true
      yield writeFormField(boundary, 'model', model)
      for (let piece = held.shift(); piece; piece = held.shift()) if (!isModel(piece)) yield piece.bytes
      for await (const piece of pieces) if (!isModel(piece)) yield piece.bytes
    },
  }
  return { text: '', body: fields, form }
}

function isModel(piece: FormPiece): boolean {
  return piece.kind === 'field' && piece.name === 'model'
}

type Head = { readonly held: FormPiece[]; readonly fields: JsonObject }

async function readHead(pieces: AsyncIterator<FormPiece>, isNamed: boolean, maxHeldBytes: number): Promise<Head> {
  const held: FormPiece[] = []
  const fields: JsonObject = {}
  let heldBytes = 0
  for (;;) {
    const { value: piece, done } = await pieces.next()
    if (done) return { held, fields }
    held.push(piece)
    heldBytes += piece.bytes.length
    if (piece.kind === 'field') fields[piece.name] ??= piece.value
    const isKnown = isNamed || fields.model !== undefined
    if (isKnown && piece.kind !== 'field') return { held, fields }
    if (heldBytes > maxHeldBytes) throw lateModel(maxHeldBytes)
  }
}

function lateModel(maxHeldBytes: number): Fault {
  return new Fault(
    'invalid-request',
    `Invalid value for 'model': the form names none in its first ${maxHeldBytes} bytes. Put model before the files, or send the deployment's name as header x-ms-model-mesh-model-name.`,
    { param: 'model' },
  )
}

async function* judgePieces(pieces: AsyncIterable<FormPiece>, rules: FormRules): AsyncGenerator<FormPiece, undefined> {
  const names = new Set<string>()
  let fileBytes = 0
  let totalBytes = 0
  for await (const piece of pieces) {
    totalBytes += piece.bytes.length
    switch (piece.kind) {
      case 'field':
        names.add(piece.name)
        rules.judgeField(piece.name, piece.value)
        break
      case 'file':
        names.add(piece.name)
        if (piece.name === 'model')
          throw new Fault('invalid-request', "Invalid value for 'model': it must be a short text.", { param: 'model' })
        fileBytes = 0
        break
      case 'data':
        fileBytes += piece.bytes.length
        if (fileBytes > rules.maxFileBytes) throw rules.refuseFile(totalBytes)
        break
      case 'end':
        rules.judgeEnd(names)
    }
    yield piece
  }
}

async function* readPieces(source: AsyncIterable<Uint8Array>, boundary: string): AsyncGenerator<FormPiece, undefined> {
  const parser = createFormParser(boundary)
  for await (const bytes of source) yield* parser.feed(bytes)
  parser.end()
}

/** While a piece is awaited it is the caller's turn, while it is used it is ours: an upstream may take its time. */
async function* readBytes(request: Request, maxBytes: number, setTurn: SetTurn): AsyncGenerator<Uint8Array, undefined> {
  let length = 0
  try {
    for await (const bytes of request.body ?? []) {
      length += bytes.length
      if (length > maxBytes) throw tooLarge(maxBytes)
      setTurn('ours')
      yield bytes
      setTurn('caller')
    }
  } catch (error) {
    if (!request.signal.aborted) throw error
    throw new Fault('client-gone', 'The connection ended before the request body was complete.')
  }
  setTurn('ours')
}

function tooLarge(maxBytes: number): Fault {
  return new Fault('body-too-large', `The request body is larger than the ${maxBytes} bytes this server accepts.`)
}
