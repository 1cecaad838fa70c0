import { foldCodePoint, isSpace, isWordCharacter } from './fold.ts'

/** Places of a table of classes that hold none: what is not known yet, what is not seen, what is read as several, half a pair. */
export const unknownClass = 0xffff
export const droppedClass = 0xfffe
export const longClass = 0xfffd
export const pairClass = 0xfffc
/** Classes are below this. */
export const firstSpecialClass = pairClass

/** Two classes that always exist: characters of which no term has any. */
const otherMark = 0
const otherLetter = 1

/**
 * The symbols that the terms of an automaton are made of. Everything else is one of two classes, and white space, where no term
 * holds any, among them. A symbol is a UTF-16 unit of a folded character.
 */
export type Alphabet = {
  /** How many classes there are. */
  readonly width: number
  /** By class: whether it is part of a word. */
  readonly isWord: Uint8Array
  /** That of white space, or -1. */
  readonly spaceClass: number
  /** By UTF-16 unit: its class or one of the places above; `classify` fills it in as units are met. */
  readonly classes: Uint16Array
  /** The class of a unit that was unknown. */
  classify(unit: number): number
  /** The classes that a character is read as which is `longClass` or made of two units. */
  expand(codePoint: number): readonly number[]
  /** The symbols of a folded term as classes. */
  encode(folded: string): number[]
}

/** The alphabet of these folded texts. */
export function createAlphabet(texts: readonly string[]): Alphabet {
  const classOf = new Map<number, number>()
  const isWord: number[] = [0, 1]
  for (const text of texts) {
    for (const key of keysOf(text)) {
      if (classOf.has(key)) continue
      classOf.set(key, isWord.length)
      isWord.push(key > wordBit ? 1 : 0)
    }
  }
  const spaceClass = classOf.get(blank) ?? -1
  const classes = new Uint16Array(0x10000).fill(unknownClass)
  const expansions = new Map<number, readonly number[]>()

  function encode(folded: string): number[] {
    return Array.from(keysOf(folded), (key) => classOf.get(key) ?? (key > wordBit ? otherLetter : otherMark))
  }

  function classify(unit: number): number {
    let found: number
    if (unit >= 0xd800 && unit <= 0xdfff) found = pairClass
    else {
      const symbols = encode(foldCodePoint(unit))
      if (symbols.length > 1) expansions.set(unit, symbols)
      found = symbols.length === 0 ? droppedClass : symbols.length > 1 ? longClass : (symbols[0] as number)
    }
    classes[unit] = found
    return found
  }

  return {
    width: isWord.length,
    isWord: Uint8Array.from(isWord),
    spaceClass,
    classes,
    classify,
    expand: (codePoint) => expansions.get(codePoint) ?? encode(foldCodePoint(codePoint)),
    encode,
  }
}

const wordBit = 0x10000
const blank = 0x20

/** Of each symbol, the unit that it is read as, and whether it is part of a word: the halves of a pair do not tell by themselves. */
function* keysOf(folded: string): Generator<number> {
  for (const character of folded) {
    const bit = isWordCharacter(character) ? wordBit : 0
    for (let i = 0; i < character.length; i++) {
      yield isSpace(character.charCodeAt(0)) ? blank : character.charCodeAt(i) + bit
    }
  }
}
