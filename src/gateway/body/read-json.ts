import { Fault } from '../../core/fault.ts'
import { isJsonObject, isTooDeep, type JsonObject, maxJsonDepth } from '../../core/json.ts'

export type JsonBody = { readonly text: string; readonly body: JsonObject }

/**
 * The request body, read once and no further than `maxBytes`. Throws Faults `body-too-large` and `invalid-json`, and `client-gone`
 * when the connection ends first, be it that the server cut it off for sending nothing.
 */
export async function readJson(request: Request, maxBytes: number): Promise<JsonBody> {
  let text: string
  try {
    text = await readText(request, maxBytes)
  } catch (error) {
    if (!request.signal.aborted) throw error
    throw new Fault('client-gone', 'The connection ended before the request body was complete.')
  }
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch (error) {
    const why = text === '' ? 'it is empty' : (error as Error).message
    throw new Fault('invalid-json', `The request body is not valid JSON: ${why}.`)
  }
  if (!isJsonObject(body)) throw new Fault('invalid-json', 'The request body must be a JSON object.')
  if (isTooDeep(body, text.length)) {
    throw new Fault('invalid-json', `The request body is nested deeper than ${maxJsonDepth} levels.`)
  }
  return { text, body }
}

function readText(request: Request, maxBytes: number): Promise<string> | string {
  const declared = request.headers.get('content-length')
  if (declared !== null) {
    if (Number(declared) > maxBytes) throw tooLarge(maxBytes)
    return request.text()
  }
  return request.body ? readPieces(request.body, maxBytes) : ''
}

async function readPieces(pieces: ReadableStream<Uint8Array>, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let length = 0
  for await (const chunk of pieces) {
    length += chunk.length
    if (length > maxBytes) throw tooLarge(maxBytes)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

function tooLarge(maxBytes: number): Fault {
  return new Fault('body-too-large', `The request body is larger than the ${maxBytes} bytes this server accepts.`)
}
