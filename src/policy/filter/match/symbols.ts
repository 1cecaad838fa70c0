import { foldCodePoint, isSpace, isWordCharacter } from './fold.ts'
import { leetLetters } from './leet.ts'

/** Places of a table of classes that hold none: what is not known yet, what is not seen, what is read as several, half a pair. */
export const unknownClass = 0xffff
export const droppedClass = 0xfffe
export const longClass = 0xfffd
export const pairClass = 0xfffc
/** Classes are below this. */
export const firstSpecialClass = pairClass

/** Two classes that always exist: characters of which no term has any. */
export const otherMark = 0
export const otherLetter = 1

/**
 * The symbols that the terms of an automaton are made of. Everything else is one of two classes, and white space, where no term
 * holds any, among them. A symbol is a UTF-16 unit of a folded character.
 */
export type Alphabet = {
  /** How many classes there are. */
  readonly width: number
  /** By class: whether it is part of a word. */
  readonly isWord: Uint8Array
  /** By class: the class that terms have in its place, which is itself but for signs that stand for letters. */
  readonly readAs: Uint16Array
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

export type AlphabetOptions = {
  readonly keepsCase: boolean
  /** Reads figures as the letters they stand for, and i and l alike. */
  readonly isLoose: boolean
}

/** The alphabet of these folded texts. */
export function createAlphabet(texts: readonly string[], { keepsCase, isLoose }: AlphabetOptions): Alphabet {
  const classOf = new Map<number, number>()
  const isWord: number[] = [0, 1]
  const readAs: number[] = [otherMark, otherLetter]
  for (const text of texts) for (const key of keysOf(text, false)) addKey(key)
  if (isLoose) for (const [sign, letter] of leetLetters) addSign(sign, letter)
  const spaceClass = classOf.get(blank) ?? -1
  const classes = new Uint16Array(0x10000).fill(unknownClass)
  const expansions = new Map<number, readonly number[]>()

  function addKey(key: number, as = isWord.length): void {
    if (classOf.has(key)) return
    classOf.set(key, isWord.length)
    isWord.push(key > wordBit ? 1 : 0)
    readAs.push(as)
  }

  /** A sign keeps a class of its own: it may stand for a letter, and as well for the end of a word. */
  function addSign(sign: string, letter: string): void {
    const as = classOf.get(letter.charCodeAt(0) + wordBit)
    if (as !== undefined && !isWordCharacter(sign)) addKey(sign.charCodeAt(0), as)
  }

  /** Of each symbol, the unit that it is read as, and whether it is part of a word: the halves of a pair do not tell by themselves. */
  function* keysOf(folded: string, keepsSigns: boolean): Generator<number> {
    for (const character of folded) {
      const read = isLoose ? readLoosely(character, keepsSigns) : character
      const bit = isWordCharacter(read) ? wordBit : 0
      for (let i = 0; i < read.length; i++) yield isSpace(read.charCodeAt(0)) ? blank : read.charCodeAt(i) + bit
    }
  }

  function encode(folded: string, keepsSigns: boolean): number[] {
    return Array.from(
      keysOf(folded, keepsSigns),
      (key) => classOf.get(key) ?? (key > wordBit ? otherLetter : otherMark),
    )
  }

  function classify(unit: number): number {
    let found: number
    if (unit >= 0xd800 && unit <= 0xdfff) found = pairClass
    else {
      const symbols = encode(foldCodePoint(unit, keepsCase), true)
      if (symbols.length > 1) expansions.set(unit, symbols)
      found = symbols.length === 0 ? droppedClass : symbols.length > 1 ? longClass : (symbols[0] as number)
    }
    classes[unit] = found
    return found
  }

  return {
    width: isWord.length,
    isWord: Uint8Array.from(isWord),
    readAs: Uint16Array.from(readAs),
    spaceClass,
    classes,
    classify,
    expand: (codePoint) => expansions.get(codePoint) ?? encode(foldCodePoint(codePoint, keepsCase), true),
    encode: (folded) => encode(folded, false),
  }
}

const wordBit = 0x10000
const blank = 0x20

function readLoosely(character: string, keepsSigns: boolean): string {
  const letter = keepsSigns && !isWordCharacter(character) ? character : (leetLetters.get(character) ?? character)
  return letter === 'l' ? 'i' : letter
}
