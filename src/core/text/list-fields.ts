const quote = 0x22
const backslash = 0x5c
const open = new Set([0x7b, 0x5b])
const close = new Set([0x7d, 0x5d])
const colon = 0x3a

/** Longer ones are not read for this. */
const maxChars = 256 * 1024
const maxFields = 40

/**
 * The names of the fields of a JSON object, as they are written and in their order, without parsing what they hold. undefined for a text
 * that is too long to be read for it.
 */
export function listFields(text: string): string[] | undefined {
  if (text.length > maxChars) return undefined
  const fields: string[] = []
  let depth = 0
  for (let at = 0; at < text.length && fields.length < maxFields; at++) {
    const code = text.charCodeAt(at)
    if (code === quote) {
      const end = endOfString(text, at)
      if (end === -1) break
      // What stands before a colon at the first level is a name.
      if (depth === 1 && isBeforeColon(text, end + 1)) fields.push(text.slice(at + 1, end))
      at = end
    } else if (open.has(code)) depth++
    else if (close.has(code)) depth--
  }
  return fields
}

/** Where the string that begins at `from` has its last quote. */
function endOfString(text: string, from: number): number {
  for (let end = text.indexOf('"', from + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let slashes = 0
    while (text.charCodeAt(end - 1 - slashes) === backslash) slashes++
    if (slashes % 2 === 0) return end
  }
  return -1
}

function isBeforeColon(text: string, from: number): boolean {
  let at = from
  while (text.charCodeAt(at) <= 0x20) at++
  return text.charCodeAt(at) === colon
}
