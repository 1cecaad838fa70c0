import { Fault } from '../../core/fault.ts'
import { isJsonObject, type JsonObject } from '../../core/json.ts'

const maxBodyBytes = 1024 * 1024

/**
 * The JSON object in the body. Throws Fault `invalid-request` with status 415 for another content type, `body-too-large` beyond 1 MiB,
 * `invalid-json` for what does not parse or is no object. The text is not repeated: it may hold a secret.
 */
export async function readJsonBody(request: Request): Promise<JsonObject> {
  const type = (request.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/json' && type !== 'application/merge-patch+json') {
    const given = type ? `"${type}"` : 'none'
    throw new Fault('invalid-request', `content-type: got ${given}, expected application/json`, {
      status: 415,
      vendorCode: 'UnsupportedMediaType',
    })
  }
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(await readBytes(request)))
  } catch (error) {
    if (error instanceof Fault) throw error
    throw new Fault('invalid-json', 'The body is not valid JSON in UTF-8.')
  }
  if (isJsonObject(value)) return value
  throw new Fault(
    'invalid-json',
    `The body is ${Array.isArray(value) ? 'a list' : 'a plain value'}, expected a JSON object.`,
  )
}

async function readBytes(request: Request): Promise<Uint8Array> {
  const tooLarge = new Fault('body-too-large', `The body is longer than ${maxBodyBytes} bytes.`)
  if (Number(request.headers.get('content-length') ?? 0) > maxBodyBytes) throw tooLarge
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of request.body ?? []) {
    length += chunk.length
    if (length > maxBodyBytes) throw tooLarge
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
