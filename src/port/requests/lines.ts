import type { RequestLines } from './port.ts'

/**
 * What many requests have alike stands at the end of their lines, from here on: it is sent, read and kept once for all of them. The name
 * occurs nowhere else in a document, and not in its texts, where quotes are escaped.
 */
export const sharedStart = ',"outcome":"'

/** Lines as the log makes them, of documents as JSON: for those who have these. */
export function gatherLines(documents: readonly string[]): RequestLines {
  const ends: string[] = []
  const numbers = new Map<string, number>()
  const own = documents.map((document) => {
    const cut = document.lastIndexOf(sharedStart)
    const end = cut === -1 ? '' : document.slice(cut)
    let number = numbers.get(end)
    if (number === undefined) {
      number = ends.push(end) - 1
      numbers.set(end, number)
    }
    return number + (cut === -1 ? document : document.slice(0, cut))
  })
  return { ends, own: new TextEncoder().encode(own.join('\n')), count: documents.length }
}

const decoder = new TextDecoder()

/** Each line in its two parts. */
export function* splitLines(ends: readonly string[], own: string): Generator<{ own: string; end: string }> {
  for (const line of own.split('\n')) {
    const begin = line.indexOf('{')
    yield { own: line.slice(begin), end: ends[Number(line.slice(0, begin))] ?? '' }
  }
}

export function* readLines({ ends, own, count }: RequestLines): Generator<{ own: string; end: string }> {
  // What is shared may change, so decoders take none of it.
  if (count > 0) yield* splitLines(ends, decoder.decode(own.slice()))
}
