import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'

/**
 * What a line holds of its deployment's quota while it waits: about the tokens of its prompt. Only for that, so no tokenizer and no
 * template: the limits of each call count more closely when it runs. The same for the same body, whenever it is asked for.
 */

/** Of UTF-8. */
const bytesPerToken = 4
const bytesPerMessage = 16
/** An image, a sound or a document, as a token count; how long its text is says nothing. */
const bytesPerFile = 765 * bytesPerToken
const fileTextLength = 512

/** Where requests have their prompts. */
const promptFields = [
  'messages',
  'input',
  'instructions',
  'prompt',
  'suffix',
  'tools',
  'functions',
  'response_format',
] as const

export function estimateTokens(body: JsonObject): number {
  let bytes = 0
  for (const field of promptFields) {
    const value = body[field]
    if (value !== undefined) bytes += measure(value)
  }
  return Math.max(1, Math.ceil(bytes / bytesPerToken))
}

function measure(value: Json): number {
  if (typeof value === 'string') return isFile(value) ? bytesPerFile : Buffer.byteLength(value)
  // Token ids.
  if (typeof value === 'number') return bytesPerToken
  if (Array.isArray(value)) {
    let bytes = 0
    for (const item of value) bytes += measure(item)
    return bytes
  }
  if (!isJsonObject(value)) return 0
  let bytes = bytesPerMessage
  for (const name in value) bytes += measure(value[name] as Json)
  return bytes
}

/** A file in Base64, or its `data:` URL: a long text that begins with nothing but printable ASCII without a space. */
function isFile(text: string): boolean {
  if (text.length < fileTextLength) return false
  for (let i = 0; i < fileTextLength; i++) {
    const code = text.charCodeAt(i)
    if (code <= 0x20 || code >= 0x7f) return false
  }
  return true
}
