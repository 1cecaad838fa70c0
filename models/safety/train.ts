import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FilterCategory } from '../../src/core/filter/categories.ts'
import { bucketBits, forEachFeature, headsPerBucket, writeHeads } from '../../src/policy/filter/builtin/heads.ts'
import { createTokens, readTokens } from '../../src/policy/filter/builtin/read-tokens.ts'
import { generateLines, randomFrom, readLookedAtLines } from './data/generate.ts'

/** `bun models/safety/train.ts`: trains the heads on the generated lines and on those that the rules were written by, and writes `heads.bin`. The same bytes on every run. */

const categories: readonly FilterCategory[] = ['hate', 'sexual', 'violence', 'self_harm', 'jailbreak', 'indirect_attack']
const seed = 20_261_124
const epochs = 12
const rate = 0.5
const decay = 2e-6
/** Of the lines, kept apart to see whether it learns. */
const testShare = 0.1

const random = randomFrom(seed)
const lines = [...generateLines(seed), ...readLookedAtLines()]
const tokens = createTokens(2_000)
const examples = lines.map(({ text, categories: own }) => {
  readTokens(text, 0, Math.min(text.length, 2_000), tokens)
  const buckets: number[] = []
  forEachFeature(tokens, 0, tokens.count - 1, (bucket) => buckets.push(bucket))
  return { buckets, norm: 1 / Math.sqrt(Math.max(1, buckets.length)), own, isTest: random() < testShare }
})
const trained = examples.filter(({ isTest }) => !isTest)

const buckets = 1 << bucketBits
const weights = new Float64Array(buckets * headsPerBucket)
const slopes = new Float64Array(buckets * headsPerBucket).fill(1e-6)
const biases = new Float64Array(categories.length)

for (let epoch = 0; epoch < epochs; epoch++) {
  const order = shuffled(trained.length)
  for (const index of order) {
    const { buckets: features, norm, own } = trained[index] as (typeof examples)[number]
    for (const [head, category] of categories.entries()) {
      const wanted = own.includes(category) ? 1 : 0
      const wrong = probability(features, norm, head) - wanted
      if (Math.abs(wrong) < 0.005) continue
      // Lines of a category are fewer than those of all others.
      const step = wrong * (wanted === 1 ? 2 : 1)
      biases[head]! -= 0.02 * step
      for (const bucket of features) {
        const at = bucket * headsPerBucket + head
        const slope = step * norm + decay * (weights[at] as number)
        slopes[at]! += slope * slope
        weights[at]! -= (rate * slope) / Math.sqrt(slopes[at] as number)
      }
    }
  }
}

const scales = categories.map((_, head) => {
  let most = 1e-9
  for (let bucket = 0; bucket < buckets; bucket++)
    most = Math.max(most, Math.abs(weights[bucket * headsPerBucket + head] as number))
  return most / 127
})
const quantised = new Int8Array(weights.length)
for (let bucket = 0; bucket < buckets; bucket++)
  for (const [head, scale] of scales.entries()) {
    const at = bucket * headsPerBucket + head
    quantised[at] = Math.round((weights[at] as number) / scale)
  }
const round = (value: number) => Math.round(value * 1e6) / 1e6
const bytes = writeHeads({ categories, biases: [...biases].map(round), scales: scales.map(round), weights: quantised })
writeFileSync(join(import.meta.dirname, 'heads.bin'), bytes)

console.log(`${lines.length} lines, ${examples.length - trained.length} of them for the test`)
for (const [head, category] of categories.entries()) {
  let [right, of, wrong, rest] = [0, 0, 0, 0]
  for (const { buckets: features, norm, own, isTest } of examples) {
    if (!isTest) continue
    const isSeen = probability(features, norm, head) > 0.5
    if (own.includes(category)) {
      of++
      if (isSeen) right++
    } else {
      rest++
      if (isSeen) wrong++
    }
  }
  console.log(`${category.padEnd(16)} finds ${right} of ${of}, wrong in ${wrong} of ${rest}`)
}
console.log(`heads.bin: ${bytes.length} bytes, SHA-256 ${createHash('sha256').update(bytes).digest('hex')}`)

function probability(features: readonly number[], norm: number, head: number): number {
  let sum = 0
  for (const bucket of features) sum += weights[bucket * headsPerBucket + head] as number
  return 1 / (1 + Math.exp(-(sum * norm + (biases[head] as number))))
}

function shuffled(length: number): number[] {
  const order = Array.from({ length }, (_, index) => index)
  for (let i = length - 1; i > 0; i--) {
    const other = Math.floor(random() * (i + 1))
    const kept = order[i] as number
    order[i] = order[other] as number
    order[other] = kept
  }
  return order
}
