/** A multipart form written by hand, so that a test decides the order of its parts and where its bytes are cut. */

export const formBoundary = 'test-boundary-7MA4YWxk'
export const formType = `multipart/form-data; boundary=${formBoundary}`

export type FormPart = readonly [name: string, content: string | Uint8Array, filename?: string]

export function writeForm(...parts: readonly FormPart[]): Buffer {
  const pieces = parts.flatMap(([name, content, filename]) => {
    const file = filename === undefined ? '' : `; filename="${filename}"\r\nContent-Type: application/octet-stream`
    return [`--${formBoundary}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n`, content, '\r\n']
  })
  return Buffer.concat([...pieces, `--${formBoundary}--\r\n`].map((piece) => Buffer.from(piece as string)))
}

/** Bytes of every value, with what looks like a boundary in them. */
export function makeBytes(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8)) & 0xff
  bytes.write(`\r\n--${formBoundary.slice(0, -1)}\r\n`, length >> 1, 'latin1')
  return bytes
}
