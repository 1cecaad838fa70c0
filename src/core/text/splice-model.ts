import type { JsonObject } from '../json.ts'

const key = '"model"'

/**
 * The JSON text of `body` with its top-level `model` set to `model` and every other byte as the client sent it.
 * Where the text makes that ambiguous (a doubled or escaped key), the body is written anew instead.
 */
export function spliceModel(text: string, body: JsonObject, model: string): string {
  const value = JSON.stringify(model)
  if (body.model === undefined) {
    const open = text.indexOf('{') + 1
    const isEmpty = Object.keys(body).length === 0
    return `${text.slice(0, open)}${key}:${value}${isEmpty ? '' : ','}${text.slice(open)}`
  }
  const at = text.indexOf(key)
  const isSingle = at !== -1 && text.indexOf(key, at + key.length) === -1
  if (isSingle && typeof body.model === 'string' && depthAt(text, at) === 1) {
    const old = stringAfterColon(text, at + key.length)
    if (old && body.model === model) return text
    if (old) return text.slice(0, old.start) + value + text.slice(old.end)
  }
  return JSON.stringify({ ...body, model })
}

/** How many objects and arrays are open at `end`, or -1 when `end` lies inside a string. */
function depthAt(text: string, end: number): number {
  let depth = 0
  for (let i = 0; i < end; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x7b || code === 0x5b) depth++
    else if (code === 0x7d || code === 0x5d) depth--
    else if (code === 0x22) {
      i = closingQuote(text, i + 1)
      if (i === -1 || i >= end) return -1
    }
  }
  return depth
}

/** The span of the string value after `:`, or undefined when what follows is not `: "..."`, as after a value that reads `"model"`. */
function stringAfterColon(text: string, from: number): { start: number; end: number } | undefined {
  let i = skipSpace(text, from)
  if (text[i] !== ':') return undefined
  i = skipSpace(text, i + 1)
  if (text[i] !== '"') return undefined
  return { start: i, end: closingQuote(text, i + 1) + 1 }
}

function skipSpace(text: string, from: number): number {
  let i = from
  while (i < text.length && (text.charCodeAt(i) === 0x20 || (text.charCodeAt(i) >= 0x09 && text.charCodeAt(i) <= 0x0d)))
    i++
  return i
}

function closingQuote(text: string, from: number): number {
  let at = text.indexOf('"', from)
  while (at !== -1) {
    let slashes = 0
    while (text.charCodeAt(at - 1 - slashes) === 0x5c) slashes++
    if (slashes % 2 === 0) return at
    at = text.indexOf('"', at + 1)
  }
  return -1
}
