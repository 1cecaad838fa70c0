import { type CharSet, hasPoint, highestCodePoint, invisibles, wordCharacters } from './char-set.ts'

/** Places in the table of classes that hold none: what patterns never see, and the first half of a pair. */
export const droppedPlace = 0xffff
const pairPlace = 0xfffe
export const firstSpecialPlace = pairPlace

/** Code points in classes: those of one class are in the same of the sets, and hence the same to the patterns. */
export type PatternAlphabet = {
  readonly width: number
  /** By UTF-16 unit. */
  readonly classes: Uint16Array
  /** By class: whether it is of `\w`. */
  readonly isWord: Uint8Array
  /** The class of a code point above 0xffff, or `droppedPlace`. */
  classOfPair(codePoint: number): number
  /** By class, whether it is in the set. */
  membersOf(set: CharSet): Uint8Array
}

export function createPatternAlphabet(sets: readonly CharSet[]): PatternAlphabet {
  const all = [...new Set([...sets, wordCharacters])]
  const edges = [...new Set([0, ...all.flatMap((set) => set.map((edge, i) => edge + (i % 2)))])].sort((a, b) => a - b)
  if ((edges.at(-1) as number) <= highestCodePoint) edges.push(highestCodePoint + 1)
  const numberOf = new Map<string, number>()
  const example: number[] = []
  const classOf: number[] = []
  const marks = signaturesAt(edges, all)
  for (let i = 0; i < edges.length - 1; i++) {
    const signature = marks[i] as string
    let found = numberOf.get(signature)
    if (found === undefined) {
      found = example.length
      numberOf.set(signature, found)
      example.push(edges[i] as number)
    }
    classOf.push(found)
  }
  const classes = new Uint16Array(0x10000)
  for (let i = 0; i < classOf.length; i++) {
    if ((edges[i] as number) > 0xffff) break
    classes.fill(classOf[i] as number, edges[i] as number, Math.min(0x10000, edges[i + 1] as number))
  }
  const dropped = invisibles()
  for (let i = 0; i < dropped.length; i += 2) {
    if ((dropped[i] as number) <= 0xffff)
      classes.fill(droppedPlace, dropped[i] as number, (dropped[i + 1] as number) + 1)
  }
  const lone = classes.slice(0xd800, 0xdc00)
  classes.fill(pairPlace, 0xd800, 0xdc00)

  return {
    width: example.length,
    classes,
    isWord: Uint8Array.from(example, (codePoint) => Number(hasPoint(wordCharacters, codePoint))),
    classOfPair(codePoint) {
      if (codePoint <= 0xffff)
        return codePoint < 0xdc00 ? (lone[codePoint - 0xd800] as number) : (classes[codePoint] as number)
      if (hasPoint(dropped, codePoint)) return droppedPlace
      let low = 0
      let high = edges.length - 2
      while (low < high) {
        const middle = (low + high + 1) >> 1
        if ((edges[middle] as number) <= codePoint) low = middle
        else high = middle - 1
      }
      return classOf[low] as number
    },
    membersOf: (set) => Uint8Array.from(example, (codePoint) => Number(hasPoint(set, codePoint))),
  }
}

/** Of each stretch between two edges, which of the sets it is in. */
function signaturesAt(edges: readonly number[], sets: readonly CharSet[]): string[] {
  const members: number[][] = edges.map(() => [])
  const placeOf = new Map(edges.map((edge, i) => [edge, i]))
  for (const [number, set] of sets.entries()) {
    for (let i = 0; i < set.length; i += 2) {
      const from = placeOf.get(set[i] as number) as number
      const to = placeOf.get((set[i + 1] as number) + 1) ?? edges.length - 1
      for (let at = from; at < to; at++) members[at]?.push(number)
    }
  }
  return members.map((list) => list.join())
}
