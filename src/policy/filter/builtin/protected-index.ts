import type { ProtectedIndex, ProtectedPassage } from '../plan.ts'
import { letterCode as c, letterCodes } from './letters.ts'

/** Letters and digits that a fingerprint is of. */
const fingerprintLetters = 24
/** Of so many neighbouring fingerprints the least is kept: of any 40 letters in common one is found. */
const windowFingerprints = 17
/** As the hosted service: shorter passages are anybody's. */
const shortestPassage = 110
/** Letters between two stretches of one passage, such as words that were exchanged; and by how much these may be longer or shorter. */
const mostBetween = 32
const mostShift = 14
/** What is shorter between two differences is chance. */
const shortestStretch = 20
/** Places of one fingerprint that are looked at: a text that repeats itself has it everywhere. */
const mostPlaces = 16
/** Letters that are compared for each letter of a text, at most: texts of one letter over and over would take for ever. */
const mostCompared = 64

type Folded = {
  /** Codes of letters and digits; all else is left out. */
  readonly codes: Uint8Array
  /** Where each stands in the text. */
  readonly at: Uint32Array
}

/** From where to where in the text, and where it begins in the document. */
type Stretch = { readonly document: number; readonly from: number; readonly to: number; readonly original: number }

/**
 * An index of texts that answers shall not repeat, prose or code. Found are passages of 110 characters and more that are the same but
 * for case, accents, spacing and punctuation, and but for single words exchanged. The texts are kept in memory, at two bytes a
 * character; looking through an answer takes time linear in it.
 */
export function createProtectedIndex(
  texts: readonly (Pick<ProtectedPassage, 'name' | 'annotation'> & { readonly text: string })[],
): ProtectedIndex {
  const documents = texts.map(({ text }) => fold(text).codes)
  const places = new Map<number, number[]>()
  const offsets: number[] = []
  let total = 0
  for (const codes of documents) {
    offsets.push(total)
    winnow(codes, (hash, at) => {
      const known = places.get(hash)
      if (known === undefined) places.set(hash, [total + at])
      else if (known.length < mostPlaces) known.push(total + at)
    })
    total += codes.length
  }

  function stretchesIn({ codes }: Folded): Stretch[] {
    const stretches: Stretch[] = []
    // How far each alignment of a document with the text has been compared: none is compared twice.
    const comparedTo = new Map<number, number>()
    let left = codes.length * mostCompared
    forEachHash(codes, (hash, at) => {
      for (const place of places.get(hash) ?? []) {
        const document = lastAtOrBelow(offsets, place)
        const start = place - (offsets[document] as number)
        const alignment = place - at
        if (left < 0 || (comparedTo.get(alignment) ?? -1) > at) continue
        const other = documents[document] as Uint8Array
        let from = at
        while (from > 0 && start - (at - from) > 0 && codes[from - 1] === other[start - (at - from) - 1]) from--
        let to = at
        while (to < codes.length && codes[to] === other[start + (to - at)]) to++
        comparedTo.set(alignment, Math.max(to, at + 1))
        left -= to - from + 1
        if (to - from >= shortestStretch) stretches.push({ document, from, to, original: start - (at - from) })
      }
    })
    return stretches
  }

  return {
    find(text) {
      if (text.length < shortestPassage) return []
      const folded = fold(text)
      return joinStretches(stretchesIn(folded))
        .map(({ document, from, to }) => {
          const { name, annotation } = texts[document] as (typeof texts)[number]
          const start = folded.at[from] as number
          return { start, end: (folded.at[to - 1] as number) + 1, name, annotation }
        })
        .filter(({ start, end }) => end - start >= shortestPassage)
        .sort((a, b) => a.start - b.start || b.end - a.end)
    },
  }
}

/** Stretches of one document that follow each other in both texts become one. */
function joinStretches(stretches: readonly Stretch[]): Stretch[] {
  const joined: Stretch[] = []
  const byPlace = [...stretches].sort((a, b) => a.document - b.document || a.from - b.from || b.to - a.to)
  for (const stretch of byPlace) {
    const last = joined.at(-1)
    const isNext =
      last !== undefined &&
      last.document === stretch.document &&
      stretch.from - last.to <= mostBetween &&
      Math.abs(stretch.original - stretch.from - (last.original - last.from)) <= mostShift
    if (isNext)
      joined[joined.length - 1] = {
        ...stretch,
        from: last.from,
        to: Math.max(last.to, stretch.to),
        original: stretch.original - (stretch.from - last.from),
      }
    else joined.push(stretch)
  }
  return joined
}

function fold(text: string): Folded {
  const codes = new Uint8Array(text.length)
  const at = new Uint32Array(text.length)
  let length = 0
  for (let i = 0; i < text.length; i++) {
    const code = letterCodes[text.charCodeAt(i)] as number
    const isLetter = code > 0 && code <= c.foreign
    // Scripts of which no letter is told apart here are compared by their units.
    if (isLetter || code === c.several) {
      codes[length] = code === c.foreign || code === c.several ? 64 + (text.charCodeAt(i) % 191) : code
      at[length++] = i
    }
  }
  return { codes: codes.subarray(0, length), at: at.subarray(0, length) }
}

const base = 0x01000193
const leaving = power(base, fingerprintLetters)

function power(value: number, times: number): number {
  let product = 1
  for (let i = 0; i < times; i++) product = Math.imul(product, value)
  return product
}

/** Rolling hashes of every 24 letters, spread so that the least of some is any of them. */
function forEachHash(codes: Uint8Array, see: (hash: number, at: number) => void): void {
  let hash = 0
  for (let i = 0; i < codes.length; i++) {
    hash = (Math.imul(hash, base) + (codes[i] as number) + 1) | 0
    if (i >= fingerprintLetters) hash = (hash - Math.imul(leaving, (codes[i - fingerprintLetters] as number) + 1)) | 0
    if (i >= fingerprintLetters - 1) see(Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0, i - fingerprintLetters + 1)
  }
}

function winnow(codes: Uint8Array, keep: (hash: number, at: number) => void): void {
  const recent: { readonly hash: number; readonly at: number }[] = []
  let keptAt = -1
  forEachHash(codes, (hash, at) => {
    // A queue of rising hashes: its head is the least of the window.
    while (recent.length > 0 && (recent.at(-1) as { hash: number }).hash >= hash) recent.pop()
    recent.push({ hash, at })
    if ((recent[0] as { at: number }).at <= at - windowFingerprints) recent.shift()
    const least = recent[0] as { readonly hash: number; readonly at: number }
    const isWindowFull = at >= windowFingerprints - 1 || at === codes.length - fingerprintLetters
    if (isWindowFull && least.at !== keptAt) {
      keptAt = least.at
      keep(least.hash, least.at)
    }
  })
}

function lastAtOrBelow(sorted: readonly number[], value: number): number {
  let low = 0
  let high = sorted.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((sorted[middle] as number) <= value) low = middle
    else high = middle - 1
  }
  return low
}
