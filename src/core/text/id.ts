const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** `length` random letters and digits, the shape of the ids in `chatcmpl-...`. */
export function randomId(length: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(length))
  let id = ''
  for (let i = 0; i < length; i++) id += alphabet[(bytes[i] as number) % alphabet.length]
  return id
}

/**
 * A UUID of version 7 (RFC 9562): it begins with the time, in unix milliseconds, so that ids are in the order in which they were made and
 * what has one is found by its time.
 */
export function timeId(timeMs: number): string {
  const time = timeMs.toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${crypto.randomUUID().slice(15)}`
}

/** Unix milliseconds; NaN for what is no id of `timeId`. */
export function timeOfId(id: string): number {
  return timeIdPattern.test(id) ? Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) : Number.NaN
}

const timeIdPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** 32 hexadecimal digits, the id shape of the Azure AI Model Inference API. */
export function randomHex(): string {
  return crypto.randomUUID().replaceAll('-', '')
}
