import type { Form } from '../../core/call.ts'
import { Fault } from '../../core/fault.ts'
import type { JsonObject } from '../../core/json.ts'
import type { FormPart } from '../../core/service-route.ts'
import { createFormParser, type FormPiece, readBoundary, writeFormField } from '../../wire/passed/form-parser.ts'
import type { FormRules } from '../../wire/wire.ts'
import type { SetTurn } from '../server.ts'

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
  const { contentType, boundary, pieces: read } = openForm(request, limits.maxFormBytes, setTurn)
  const pieces = judgePieces(read, rules)
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

type OpenForm = {
  readonly contentType: string
  readonly boundary: string
  readonly pieces: AsyncGenerator<FormPiece, undefined>
}

function openForm(request: Request, maxBytes: number, setTurn: SetTurn): OpenForm {
  const contentType = request.headers.get('content-type') ?? ''
  const boundary = readBoundary(contentType)
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge(maxBytes)
  return { contentType, boundary, pieces: readPieces(readBytes(request, maxBytes, setTurn), boundary) }
}

/**
 * The parts of a form one after the other, read as they arrive. What is left of a part when the next one is asked for is passed over.
 * Throws Faults `invalid-request` and `body-too-large` at once where the headers tell, else when the parts are read.
 */
export function readFormParts(
  request: Request,
  maxBytes: number,
  setTurn: SetTurn,
): AsyncGenerator<FormPart, undefined> {
  if (!hasForm(request)) {
    const given = JSON.stringify((request.headers.get('content-type') ?? '').slice(0, 64))
    throw new Fault(
      'invalid-request',
      `Invalid value for 'Content-Type': got ${given}, expected multipart/form-data.`,
      { param: 'Content-Type' },
    )
  }
  return splitParts(openForm(request, maxBytes, setTurn).pieces)
}

async function* splitParts(pieces: AsyncGenerator<FormPiece, undefined>): AsyncGenerator<FormPart, undefined> {
  /** What came behind the data of a part. */
  let next: FormPiece | undefined
  const readData = async (): Promise<Uint8Array | undefined> => {
    if (next) return undefined
    const { value: piece } = await pieces.next()
    if (piece?.kind === 'data') return piece.bytes
    next = piece
    return undefined
  }
  try {
    for (;;) {
      const piece = next ?? (await pieces.next()).value
      next = undefined
      if (!piece) return
      if (piece.kind === 'field') {
        const { name, value, content } = piece
        yield { name, filename: undefined, value, content: readAll(once(content)) }
      } else if (piece.kind === 'file') {
        yield { name: piece.name, filename: piece.filename, value: undefined, content: readAll(readData) }
        while (await readData()) {}
      }
    }
  } finally {
    await pieces.return(undefined)
  }
}

/** Whoever stops in the middle does not close what it is read from: the next part is to come from there. */
async function* readAll(read: () => Promise<Uint8Array | undefined>): AsyncGenerator<Uint8Array, undefined> {
  for (let bytes = await read(); bytes; bytes = await read()) yield bytes
}

function once(bytes: Uint8Array): () => Promise<Uint8Array | undefined> {
  let rest: Uint8Array | undefined = bytes
  return async () => {
    const given = rest
    rest = undefined
    return given
  }
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
