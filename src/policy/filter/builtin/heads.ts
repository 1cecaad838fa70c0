import type { FilterCategory } from '../../../core/filter/categories.ts'
import type { Tokens } from './read-tokens.ts'

/**
 * Small linear models, one a category, over hashed words, pairs of words and pieces of words. They have seen a few thousand short
 * lines and remember phrasings; the rules decide, and ask them only in doubt.
 */
export type Heads = {
  readonly categories: readonly FilterCategory[]
  /** Writes the probability of each category to `out`, for the words from `first` to `last`. */
  score(tokens: Tokens, first: number, last: number, out: Float64Array): void
}

export const bucketBits = 15
/** Weights of a bucket stand together; two of the places are free. */
export const headsPerBucket = 8
const magic = 'PONTOH01'
/** Longer pieces of text are scored by their beginning. */
const maxWords = 120

const firstPiece = 3
const lastPiece = 4

/** Calls `see` with the bucket of each feature. Training and judging read texts with this one function. */
export function forEachFeature(tokens: Tokens, first: number, last: number, see: (bucket: number) => void): void {
  const { codes } = tokens
  const shift = 32 - bucketBits
  let before = 0x9e3779b1 | 0
  const stop = Math.min(last, first + maxWords - 1)
  for (let token = first; token <= stop; token++) {
    const from = tokens.from[token] as number
    const to = tokens.to[token] as number
    let word = 0x811c9dc5 | 0
    for (let i = from; i < to; i++) word = Math.imul(word ^ (codes[i] as number), 0x01000193)
    see(Math.imul(word, 0x9e3779b1) >>> shift)
    see(Math.imul(Math.imul(before, 0x85ebca6b) ^ word, 0xc2b2ae35) >>> shift)
    before = word
    // A space at both ends, so that beginnings and endings are pieces of their own.
    for (let start = from - 1; start + firstPiece <= to + 1; start++) {
      let piece = 0x2545f491 | 0
      for (let length = 1; length <= lastPiece && start + length <= to + 1; length++) {
        const at = start + length - 1
        piece = Math.imul(piece ^ (at < from || at >= to ? 63 : (codes[at] as number)), 0x01000193)
        if (length >= firstPiece) see(Math.imul(piece ^ (length << 8), 0x9e3779b1) >>> shift)
      }
    }
  }
}

export type HeadsFile = {
  readonly categories: readonly FilterCategory[]
  readonly biases: readonly number[]
  /** What a weight of 1 in the file stands for. */
  readonly scales: readonly number[]
  /** `headsPerBucket` a bucket. */
  readonly weights: Int8Array
}

export function writeHeads({ categories, biases, scales, weights }: HeadsFile): Uint8Array {
  const header = new TextEncoder().encode(JSON.stringify({ categories, biases, scales, bucketBits }))
  const bytes = new Uint8Array(12 + header.length + weights.length)
  bytes.set(new TextEncoder().encode(magic))
  new DataView(bytes.buffer).setUint32(8, header.length, true)
  bytes.set(header, 12)
  bytes.set(new Uint8Array(weights.buffer, weights.byteOffset, weights.length), 12 + header.length)
  return bytes
}

/** Throws an Error that says what is wrong where the bytes are not what `writeHeads` wrote. */
export function readHeads(bytes: Uint8Array): Heads {
  const decoder = new TextDecoder()
  if (bytes.length < 12 || decoder.decode(bytes.subarray(0, 8)) !== magic)
    throw new Error('heads.bin is no file of heads')
  const headerLength = new DataView(bytes.buffer, bytes.byteOffset).getUint32(8, true)
  const header = JSON.parse(decoder.decode(bytes.subarray(12, 12 + headerLength)))
  const categories = header.categories as readonly FilterCategory[]
  const [biases, scales] = [header.biases as readonly number[], header.scales as readonly number[]]
  const weights = new Int8Array(bytes.subarray(12 + headerLength))
  if (header.bucketBits !== bucketBits || weights.length !== headsPerBucket << bucketBits)
    throw new Error(`heads.bin holds ${weights.length} weights, not ${headsPerBucket << bucketBits}: train it again`)
  const sums = new Float64Array(headsPerBucket)
  const heads = categories.length
  return {
    categories,
    score(tokens, first, last, out) {
      sums.fill(0)
      let seen = 0
      forEachFeature(tokens, first, last, (bucket) => {
        seen++
        const base = bucket * headsPerBucket
        for (let head = 0; head < heads; head++) sums[head]! += weights[base + head] as number
      })
      const norm = 1 / Math.sqrt(Math.max(1, seen))
      for (let head = 0; head < heads; head++) {
        const logit = (sums[head] as number) * (scales[head] as number) * norm + (biases[head] as number)
        out[head] = 1 / (1 + Math.exp(-logit))
      }
    },
  }
}
