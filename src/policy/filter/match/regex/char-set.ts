import { invisibleClass } from '../invisible.ts'

/** Code points as ranges in order, that do not touch: first, last, first, last, and so on. */
export type CharSet = readonly number[]

export const highestCodePoint = 0x10ffff

export function setOf(...ranges: readonly number[]): CharSet {
  return ranges
}

export function unite(sets: readonly CharSet[]): CharSet {
  const ranges: [number, number][] = []
  for (const set of sets) {
    for (let i = 0; i < set.length; i += 2) ranges.push([set[i] as number, set[i + 1] as number])
  }
  ranges.sort((a, b) => a[0] - b[0])
  const united: number[] = []
  for (const [first, last] of ranges) {
    const end = united.length - 1
    if (end > 0 && first <= (united[end] as number) + 1) united[end] = Math.max(united[end] as number, last)
    else united.push(first, last)
  }
  return united
}

export function negate(set: CharSet): CharSet {
  const negated: number[] = []
  let from = 0
  for (let i = 0; i < set.length; i += 2) {
    if ((set[i] as number) > from) negated.push(from, (set[i] as number) - 1)
    from = (set[i + 1] as number) + 1
  }
  if (from <= highestCodePoint) negated.push(from, highestCodePoint)
  return negated
}

export function hasPoint(set: CharSet, codePoint: number): boolean {
  let low = 0
  let high = set.length / 2 - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    if (codePoint < (set[middle * 2] as number)) high = middle - 1
    else if (codePoint > (set[middle * 2 + 1] as number)) low = middle + 1
    else return true
  }
  return false
}

export const digits = setOf(0x30, 0x39)
export const wordCharacters = setOf(0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a)
/** As `\s` in JavaScript. */
export const spaces = unite([
  setOf(0x09, 0x0d, 0x20, 0x20, 0xa0, 0xa0, 0x1680, 0x1680, 0x2000, 0x200a),
  setOf(0x2028, 0x2029, 0x202f, 0x202f, 0x205f, 0x205f, 0x3000, 0x3000, 0xfeff, 0xfeff),
])
/** What `.` matches: all but the ends of lines. */
export const notLineEnds = negate(setOf(0x0a, 0x0a, 0x0d, 0x0d, 0x2028, 0x2029))

const known = new Map<string, CharSet | undefined>()

/** The code points with a property such as `L`, `Lu` or `Script=Greek`; undefined if there is none of that name. */
export function setOfProperty(name: string): CharSet | undefined {
  if (!known.has(name)) known.set(name, listProperty(name))
  return known.get(name)
}

/** The runtime knows the properties: reading all of Unicode with its own engine costs some milliseconds, once for each property. */
function listProperty(name: string): CharSet | undefined {
  if (!/^[A-Za-z_]+(=[A-Za-z_]+)?$/.test(name)) return undefined
  let run: RegExp
  try {
    run = new RegExp(`\\p{${name}}+`, 'gu')
  } catch {
    return undefined
  }
  return listRuns(run)
}

/**
 * Block by block: all of Unicode as one text would be 4 MB. Halves of pairs have no property worth asking for, and would join to pairs.
 * `planes`: of 65,536 each, those that are looked through.
 */
function listRuns(run: RegExp, planes = allPlanes): CharSet {
  const ranges: number[] = []
  const block: number[] = Array.from({ length: blockSize }, () => 0)
  for (let at = 0; at <= highestCodePoint; at += blockSize) {
    if (at === 0xd800 || !planes.has(at >> 16)) continue
    for (let i = 0; i < blockSize; i++) block[i] = at + i
    const units = at > 0xffff ? 2 : 1
    for (const { 0: text, index } of String.fromCodePoint(...block).matchAll(run)) {
      ranges.push(at + index / units, at + (index + text.length) / units - 1)
    }
  }
  return unite([ranges])
}

const blockSize = 0x800
const allPlanes: ReadonlySet<number> = new Set(Array.from({ length: 17 }, (_, plane) => plane))
/** Others have ideographs, private characters or nothing. A start of the program waits for it. */
const planesWithInvisibles: ReadonlySet<number> = new Set([0, 1, 14])

/** What is dropped from a text before patterns see it: not seen by readers, and hence a way to hide. */
let invisibleSet: CharSet | undefined

export function invisibles(): CharSet {
  invisibleSet ??= listRuns(new RegExp(`[${invisibleClass}]+`, 'gu'), planesWithInvisibles)
  return invisibleSet
}

let equalsInCase: ReadonlyMap<number, readonly number[]> | undefined

/** The set with all that differ from its members by case only. */
export function closeOverCase(set: CharSet): CharSet {
  equalsInCase ??= listCases()
  const more: number[] = []
  for (const [codePoint, equals] of equalsInCase) {
    if (hasPoint(set, codePoint)) for (const equal of equals) more.push(equal, equal)
  }
  return unite([set, more])
}

/** By code point that has a case: those that are the same without it. */
function listCases(): ReadonlyMap<number, readonly number[]> {
  const byKey = new Map<number, number[]>()
  const cased = unite([listRuns(/\p{Changes_When_Casemapped}+/gu)])
  for (let i = 0; i < cased.length; i += 2) {
    for (let codePoint = cased[i] as number; codePoint <= (cased[i + 1] as number); codePoint++) {
      const key = keyOf(codePoint)
      const group = byKey.get(key)
      if (group) group.push(codePoint)
      else byKey.set(key, [codePoint])
    }
  }
  const groups = new Map<number, readonly number[]>()
  for (const group of byKey.values()) if (group.length > 1) for (const codePoint of group) groups.set(codePoint, group)
  return groups
}

/** Characters that become several by case, and the dotless i, are equal to none but themselves, as in JavaScript. */
function keyOf(codePoint: number): number {
  if (codePoint === 0x131) return codePoint
  const character = String.fromCodePoint(codePoint)
  const upper = character.toUpperCase()
  const key = (isOne(upper) ? upper : character).toLowerCase()
  return isOne(key) ? (key.codePointAt(0) as number) : codePoint
}

function isOne(text: string): boolean {
  return text.length === ((text.codePointAt(0) as number) > 0xffff ? 2 : 1)
}
