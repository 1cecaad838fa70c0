import { Fault } from '../../core/fault.ts'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'

const usualBytes = 1024 * 1024

/** What whoever let a request in has to say to its body, which is only known when it is read. */
const judges = new WeakMap<Request, (document: unknown) => void>()

/** Has the document of the request judged when it is read, before anybody else sees it; what `judge` throws refuses it. */
export function judgeBody(request: Request, judge: (document: unknown) => void): void {
  judges.set(request, judge)
}

/**
 * The JSON object in the body. Throws Fault `invalid-request` with status 415 for another content type, `body-too-large` beyond `maxBytes`
 * (1 MiB when absent), `invalid-json` for what does not parse or is no object. The text is not repeated: it may hold a secret.
 */
export async function readJsonBody(request: Request, maxBytes = usualBytes): Promise<JsonObject> {
  const value = await readJson(request, maxBytes)
  if (isJsonObject(value)) return value
  throw new Fault(
    'invalid-json',
    `The body is ${Array.isArray(value) ? 'a list' : 'a plain value'}, expected a JSON object.`,
  )
}

/** The JSON list in the body. Throws Faults as `readJsonBody` does. */
export async function readJsonList(request: Request, maxBytes = usualBytes): Promise<readonly Json[]> {
  const value = await readJson(request, maxBytes)
  if (Array.isArray(value)) return value
  throw new Fault(
    'invalid-json',
    `The body is ${isJsonObject(value) ? 'an object' : 'a plain value'}, expected a JSON list.`,
  )
}

async function readJson(request: Request, maxBytes: number): Promise<unknown> {
  const type = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/json' && type !== 'application/merge-patch+json') {
    const given = type ? `"${type}"` : 'none'
    throw new Fault('invalid-request', `content-type: got ${given}, expected application/json`, {
      status: 415,
      vendorCode: 'UnsupportedMediaType',
    })
  }
  const document = parse(await readBytes(request, maxBytes))
  judges.get(request)?.(document)
  return document
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw new Fault('invalid-json', 'The body is not valid JSON in UTF-8.')
  }
}

async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array> {
  const tooLarge = new Fault('body-too-large', `The body is longer than ${maxBytes} bytes.`)
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for await (const chunk of request.body ?? []) {
      length += chunk.length
      if (length > maxBytes) throw tooLarge
      chunks.push(chunk)
    }
  } catch (error) {
    if (!request.signal.aborted) throw error
    throw new Fault('client-gone', 'The connection ended before the request body was complete.')
  }
  return Buffer.concat(chunks)
}
