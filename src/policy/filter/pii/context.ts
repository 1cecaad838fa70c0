import type { Recogniser } from './recogniser.ts'

/** How far before a value the word may stand that says what it is, in characters. */
export const contextReach = 60

/** What the words before a value say about it. */
export type Context = {
  /** Characters between a recogniser's nearest context word and the value; undefined where none stands there. */
  distanceOf(recogniser: number): number | undefined
  /** Whether the value is introduced as the number of a thing: `order no. 4111...`. */
  readonly isCounted: boolean
}

/** Reads the `contextReach` characters before `start` of `text`. */
export type ReadContext = (text: string, start: number) => Context

/** Words after which a number counts things, and is nobody's. */
const countingWords = new Set(
  (
    'order tracking invoice isbn issn ean upc gtin sku serial ticket case version release build revision commit hash timestamp shipment parcel ' +
    'batch lot part item product article job transaction request trace span session bestellung bestellnummer rechnung rechnungsnummer ' +
    'sendungsnummer artikelnummer seriennummer pedido encomenda fatura factura envío rastreio commande facture colis suivi'
  ).split(' '),
)

/** What may stand between such a word and the number. */
const linkingWords = new Set(
  'no nr num number n id code key ref reference is was are the of at número numero número nummer numéro º'.split(' '),
)

const nothing: Context = { distanceOf: () => undefined, isCounted: false }

/** For recognisers by their index: one look-up serves all of them. */
export function compileContext(recognisers: readonly Recogniser[]): ReadContext {
  const owners = new Map<string, number[]>()
  const beginnings = new Set<string>()
  recognisers.forEach(({ context = [] }, index) => {
    for (const phrase of context) {
      const words = phrase.toLowerCase().match(wordsIn) ?? []
      owners.set(words.join(' '), [...(owners.get(words.join(' ')) ?? []), index])
      for (let length = 1; length < words.length; length++) beginnings.add(words.slice(0, length).join(' '))
    }
  })
  return function readContext(text, start) {
    const words = readWords(text, start)
    if (words.length === 0) return nothing
    const distances = new Map<number, number>()
    for (let first = 0; first < words.length; first++) {
      let phrase = (words[first] as Word).text
      for (let last = first; ; ) {
        for (const index of owners.get(phrase) ?? []) distances.set(index, start - (words[last] as Word).end)
        if (!beginnings.has(phrase) || ++last >= words.length) break
        phrase += ` ${(words[last] as Word).text}`
      }
    }
    return { distanceOf: (index) => distances.get(index), isCounted: isCounted(words) }
  }
}

type Word = { readonly text: string; readonly end: number }

const wordsIn = /[\p{L}\p{N}]+/gu

/** In lower case. One more character is read than they may be away, to see whether a word begins there or goes on. */
function readWords(text: string, start: number): Word[] {
  const words: Word[] = []
  const from = Math.max(0, start - contextReach - 1)
  for (const match of text.slice(from, start).matchAll(wordsIn)) {
    if (from + match.index < start - contextReach) continue
    words.push({ text: match[0].toLowerCase(), end: from + match.index + match[0].length })
  }
  return words
}

function isCounted(words: readonly Word[]): boolean {
  let at = words.length - 1
  while (at >= 0 && linkingWords.has((words[at] as Word).text)) at--
  return at >= 0 && countingWords.has((words[at] as Word).text)
}
