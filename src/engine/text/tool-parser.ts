import { isJsonObject, type Json } from '../../core/json.ts'
import { longestOpenEnd } from './stop-scanner.ts'

/** Reads `<tool_call>{"name": ..., "arguments": {...}}</tool_call>` out of a text that comes in pieces. */
export type ToolParser = {
  push(text: string): ToolItem[]
  /** What the end of the text settles: a call whose closing tag never came, or text that only looked like one. */
  end(): ToolItem[]
}

export type ToolItem =
  | { readonly type: 'text'; readonly text: string }
  /** `arguments` is JSON text, always of an object. */
  | { readonly type: 'call'; readonly name: string; readonly arguments: string }

export const openTag = '<tool_call>'
export const closeTag = '</tool_call>'

/**
 * A call counts only if it is valid JSON and names one of `names`; anything else between the tags stays text, as written.
 * White space before a call is not text: it separates. It is held back until it is known what follows.
 */
export function createToolParser(names: ReadonlySet<string>): ToolParser {
  let held = ''
  let inside = false

  const drain = (isEnd: boolean): ToolItem[] => {
    const items: ToolItem[] = []
    for (;;) {
      if (!inside) {
        const open = held.indexOf(openTag)
        if (open < 0) {
          const safe = isEnd ? held.length : held.length - openTailLength(held)
          pushText(items, held.slice(0, safe))
          held = held.slice(safe)
          return items
        }
        const before = held.slice(0, open)
        const text = before.trimEnd()
        pushText(items, text)
        held = held.slice(text.length)
        inside = true
      }
      const end = findCallEnd(held, isEnd)
      if (end === undefined) return items
      const call = readCall(held.slice(held.indexOf(openTag) + openTag.length, end.body), names)
      if (call) items.push(call)
      else pushText(items, held.slice(0, end.after))
      held = held.slice(end.after)
      inside = false
    }
  }

  return {
    push(text) {
      held += text
      return drain(false)
    },
    end() {
      return drain(true)
    },
  }
}

function pushText(items: ToolItem[], text: string): void {
  if (text !== '') items.push({ type: 'text', text })
}

/** Length of the end that must wait: white space and the beginning of an opening tag. */
function openTailLength(text: string): number {
  const tag = longestOpenEnd(text, [openTag])
  const before = text.slice(0, text.length - tag)
  return text.length - before.trimEnd().length
}

/** Where the call's JSON ends and where the text after it begins; undefined when more text is needed to tell. */
function findCallEnd(text: string, isEnd: boolean): { body: number; after: number } | undefined {
  const start = text.indexOf(openTag) + openTag.length
  for (let close = text.indexOf(closeTag, start); close >= 0; close = text.indexOf(closeTag, close + 1)) {
    if (!endsInsideString(text.slice(start, close))) return { body: close, after: close + closeTag.length }
  }
  return isEnd ? { body: text.length, after: text.length } : undefined
}

/** Whether a JSON text breaks off within a string: a closing tag there is part of an argument. */
function endsInsideString(json: string): boolean {
  let inside = false
  for (let i = 0; i < json.length; i++) {
    if (inside && json[i] === '\\') i++
    else if (json[i] === '"') inside = !inside
  }
  return inside
}

function readCall(body: string, names: ReadonlySet<string>): ToolItem | undefined {
  const call = parseJson(body)
  if (!isJsonObject(call) || typeof call.name !== 'string' || !names.has(call.name)) return undefined
  const given = call.arguments ?? {}
  // Some models write the arguments as a JSON text within the JSON.
  const values = typeof given === 'string' ? parseJson(given) : given
  return isJsonObject(values) ? { type: 'call', name: call.name, arguments: JSON.stringify(values) } : undefined
}

function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}
