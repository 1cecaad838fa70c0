import type { AnswerResult } from '../../../core/result.ts'

/**
 * The probability, of 0 to 1, that the verdict is `positive` rather than `negative`, from the alternatives of the first token that
 * begins either word. Undefined where the server gave none, as many do not.
 */
export function readScore(result: AnswerResult, positive: string, negative: string): number | undefined {
  for (const { token, logprob, top } of result.choices[0]?.logprobs ?? []) {
    if (!beginsOneOf(token, positive, negative)) continue
    const chances = { positive: 0, negative: 0 }
    const seen = top.some((each) => each.token === token) ? top : [{ token, logprob }, ...top]
    for (const each of seen) {
      const side = sideOf(each.token, positive, negative)
      if (side && Number.isFinite(each.logprob)) chances[side] += Math.exp(each.logprob)
    }
    const sum = chances.positive + chances.negative
    return sum > 0 ? Math.min(1, chances.positive / sum) : undefined
  }
  return undefined
}

function beginsOneOf(token: string, positive: string, negative: string): boolean {
  return sideOf(token, positive, negative) !== undefined
}

/** Which word a token is the beginning of: `un` of `unsafe`; a token that could begin both tells nothing. */
function sideOf(token: string, positive: string, negative: string): 'positive' | 'negative' | undefined {
  const letters = token.toLowerCase().replace(/[^a-z]/g, '')
  if (letters === '') return undefined
  const [isPositive, isNegative] = [begins(letters, positive), begins(letters, negative)]
  return isPositive === isNegative ? undefined : isPositive ? 'positive' : 'negative'
}

/** Half a word, or the word with nothing but what follows it. */
function begins(letters: string, word: string): boolean {
  return word.startsWith(letters)
}
