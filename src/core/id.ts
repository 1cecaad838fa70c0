const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** `length` random letters and digits, the shape of the ids in `chatcmpl-...`. */
export function randomId(length: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(length))
  let id = ''
  for (let i = 0; i < length; i++) id += alphabet[(bytes[i] as number) % alphabet.length]
  return id
}

/** 32 hexadecimal digits, the id shape of the Azure AI Model Inference API. */
export function randomHex(): string {
  return crypto.randomUUID().replaceAll('-', '')
}
