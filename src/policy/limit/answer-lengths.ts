/**
 * How long answers are that nobody bounded: the length that nine of ten do not pass, of the last few hundred. A histogram with buckets
 * that widen by a fifth each, so the memory is the same whatever comes; every now and then all of it is halved, and old answers fade.
 */
export type AnswerLengths = {
  /** Tokens of one answer. */
  record(tokens: number): void
  /** Tokens that nine of ten answers do not pass; `startTokens` until enough have been seen. */
  ninthDecile(): number
}

/** About a page of text: what an answer is taken for while nothing is known. */
export const startTokens = 512

const enough = 20
const fadeAt = 512
const bucketsPerDoubling = 4
const buckets = 24 * bucketsPerDoubling
/** How often the result is worked out again. */
const refreshEvery = 8

export function createAnswerLengths(): AnswerLengths {
  const counts = new Float32Array(buckets)
  let total = 0
  let seen = 0
  let result = startTokens

  function findDecile(): number {
    let below = 0
    for (let bucket = 0; bucket < buckets; bucket++) {
      below += counts[bucket] as number
      if (below >= total * 0.9) return longestIn(bucket)
    }
    return longestIn(buckets - 1)
  }

  return {
    record(tokens) {
      const bucket = Math.min(buckets - 1, bucketOf(tokens))
      counts[bucket] = (counts[bucket] as number) + 1
      total++
      seen++
      if (total >= fadeAt) {
        for (let i = 0; i < buckets; i++) counts[i] = (counts[i] as number) / 2
        total /= 2
      }
      if (seen >= enough && (seen - enough) % refreshEvery === 0) result = findDecile()
    },
    ninthDecile: () => result,
  }
}

function bucketOf(tokens: number): number {
  return Math.ceil(Math.log2(Math.max(1, tokens)) * bucketsPerDoubling)
}

function longestIn(bucket: number): number {
  return Math.floor(2 ** (bucket / bucketsPerDoubling))
}
