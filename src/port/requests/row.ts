import { sharedStart, splitLines } from './lines.ts'
import type { RequestDocument } from './port.ts'

/** The lists that a block has of what occurs in it. */
export const listNames = ['resource', 'deployment', 'asked', 'caller', 'model', 'operation', 'status', 'code'] as const
export type ListName = (typeof listNames)[number]

export const filteredFlag = 1
export const limitedFlag = 2

/** A request as a block takes it: its line, in two parts, and what it is found by. */
export type Row = Shared & {
  readonly own: string
  readonly end: string
  readonly id: string
  readonly at: number
  readonly totalMs: number
}

/** In the order of `listNames`, in lower case; and the flags. */
type Shared = { readonly words: readonly string[]; readonly flags: number }

/** How the log begins a line (`policy/request-log/document.ts`). */
const head = /^\{"id":"([^"\\]+)","time":"[^"\\]+","at":([\d.]+),"timings":\{"totalMs":([\d.]+)/

/** By the ends of lines. */
const known = new Map<string, Shared>()
const maxKnown = 1_000

/** Most lines need not be parsed for it. Throws where one is no document. */
export function readRow({ own, end }: { readonly own: string; readonly end: string }): Row {
  const begin = head.exec(own)
  if (!begin || end === '') {
    const document = JSON.parse(own + end) as RequestDocument
    const { id, at, timings } = document
    return { own, end, id, at, totalMs: timings.totalMs, ...pickShared(document) }
  }
  let shared = known.get(end)
  if (!shared) {
    shared = pickShared(JSON.parse(`{${end.slice(1)}`) as RequestDocument)
    if (known.size >= maxKnown) known.clear()
    known.set(end, shared)
  }
  const { words, flags } = shared
  return { own, end, id: begin[1] as string, at: Number(begin[2]), totalMs: Number(begin[3]), words, flags }
}

function pickShared(document: RequestDocument): Shared {
  const { isFiltered, isLimited } = document
  const flags = (isFiltered ? filteredFlag : 0) | (isLimited ? limitedFlag : 0)
  return { words: listNames.map((name) => String(document[name] ?? '').toLowerCase()), flags }
}

/** The lines of rows as a block keeps them: what they have alike first, once, then each with the number of its end. */
export function writeDetails(rows: readonly Row[]): string {
  const ends: string[] = []
  const numbers = new Map<string, number>()
  let text = ''
  for (const { own, end } of rows) {
    let number = numbers.get(end)
    if (number === undefined) {
      number = ends.push(end) - 1
      numbers.set(end, number)
    }
    text += `\n${number}${own}`
  }
  return JSON.stringify(ends) + text
}

/** The lines of a block in their order, each in its two parts. */
export function readDetails(text: string): { own: string; end: string }[] {
  // Blocks of before have whole documents.
  if (!text.startsWith('[')) return text.split('\n').map(splitDocument)
  const cut = text.indexOf('\n')
  return [...splitLines(JSON.parse(text.slice(0, cut)) as string[], text.slice(cut + 1))]
}

function splitDocument(document: string): { own: string; end: string } {
  const cut = document.lastIndexOf(sharedStart)
  return cut === -1 ? { own: document, end: '' } : { own: document.slice(0, cut), end: document.slice(cut) }
}
