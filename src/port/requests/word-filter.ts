/**
 * Which words occur in a block, in a few hundred bytes: a word that is in it is always found, one that is not is taken for one in about
 * 1 of 100 cases. What cannot hold what is looked for is passed over without being read.
 */

/** Bits for a word, and how many of them it sets. */
const bitsPerWord = 10
const hashes = 6

export function makeWordFilter(words: ReadonlySet<string>): Uint8Array {
  const bytes = new Uint8Array(Math.max(8, Math.ceil((words.size * bitsPerWord) / 8)))
  for (const word of words) {
    for (const bit of bitsOf(word, bytes.length * 8)) bytes[bit >> 3] = (bytes[bit >> 3] as number) | (1 << (bit & 7))
  }
  return bytes
}

export function mayHoldWord(filter: Uint8Array, word: string): boolean {
  return bitsOf(word, filter.length * 8).every((bit) => ((filter[bit >> 3] as number) & (1 << (bit & 7))) !== 0)
}

/** Two hashes make all the others (Kirsch and Mitzenmacher). */
function bitsOf(word: string, bits: number): number[] {
  const [first, second] = [hash(word, 0x811c9dc5), hash(word, 0x9747b28c) | 1]
  return Array.from({ length: hashes }, (_, i) => (first + Math.imul(i, second)) >>> 0).map((number) => number % bits)
}

/** FNV-1a, with its bits mixed at the end since words are short and alike. */
function hash(word: string, seed: number): number {
  let value = seed
  for (let i = 0; i < word.length; i++) value = Math.imul(value ^ word.charCodeAt(i), 0x01000193)
  value ^= value >>> 16
  value = Math.imul(value, 0x85ebca6b)
  value ^= value >>> 13
  return value >>> 0
}
