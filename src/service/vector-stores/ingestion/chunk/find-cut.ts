/** How good a place is; the best one wins, of equals the last. */
const ranks = { none: 0, word: 1, line: 2, sentence: 3, paragraph: 4, part: 5 }

/** The best place to cut a text after `earliest` and up to `latest`; undefined where no word ends there. */
export function findCut(text: string, breaks: readonly number[], earliest: number, latest: number): number | undefined {
  const part = lastBreak(breaks, latest)
  if (part !== undefined && part > earliest) return part
  let best: number | undefined
  let bestRank = ranks.none
  for (let place = latest; place > earliest; place--) {
    const rank = rankOf(text, place)
    if (rank <= bestRank) continue
    best = place
    bestRank = rank
    if (rank === ranks.paragraph) break
  }
  return best
}

function rankOf(text: string, place: number): number {
  const last = text.charCodeAt(place - 1)
  // A sentence of Chinese or Japanese ends without a blank.
  if (wideEnds.has(last)) return ranks.sentence
  const next = text.charCodeAt(place)
  // What indents a line belongs to it.
  if (last === lineFeed ? next === lineFeed : !isBlank(last) || isBlank(next)) return ranks.none
  let before = place - 1
  let lines = 0
  while (before >= 0 && lines < 2 && isBlank(text.charCodeAt(before))) {
    if (text.charCodeAt(before) === lineFeed) lines++
    before--
  }
  if (lines > 0 && last !== lineFeed) return ranks.none
  if (lines === 2) return ranks.paragraph
  if (sentenceEnds.has(text.charCodeAt(before))) return ranks.sentence
  return lines === 1 ? ranks.line : ranks.word
}

const lineFeed = 0x0a
const sentenceEnds = codesOf('.!?…')
const wideEnds = codesOf('。！？')

function codesOf(characters: string): ReadonlySet<number> {
  return new Set([...characters].map((character) => character.charCodeAt(0)))
}

function isBlank(unit: number): boolean {
  return unit === 0x20 || unit === lineFeed || unit === 0x09
}

/** The last of them up to a place. */
function lastBreak(breaks: readonly number[], place: number): number | undefined {
  let low = 0
  let high = breaks.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((breaks[middle] as number) <= place) low = middle + 1
    else high = middle
  }
  return breaks[low - 1]
}
