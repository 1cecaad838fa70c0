import type { Chunking, Extracted, TextChunk } from '../port.ts'
import { findCut } from './find-cut.ts'

/**
 * A text cut into pieces of at most `maxTokens`, each beginning with what fits into `overlapTokens` of the end of the one before. They are cut
 * where a part, a paragraph, a sentence or at least a word ends, if one does in the last third of a piece, and never within a character.
 * `tokenEnds` are the places where the tokens of the text end. The same text is always cut alike.
 */
export function chunkText(
  { text, breaks }: Pick<Extracted, 'text' | 'breaks'>,
  { maxTokens, overlapTokens }: Chunking,
  tokenEnds: Uint32Array,
): TextChunk[] {
  const chunks: TextChunk[] = []
  // A piece has to be longer than what it repeats, or there would be no end.
  const fewestTokens = Math.max(overlapTokens + 1, Math.floor(maxTokens * (2 / 3)))
  let start = 0
  let lastEnd = 0
  while (lastEnd < text.length) {
    const startToken = countEnded(tokenEnds, start)
    let end = text.length
    if (startToken + maxTokens < tokenEnds.length) {
      const latest = tokenEnds[startToken + maxTokens - 1] as number
      const earliest = tokenEnds[startToken + fewestTokens - 1] as number
      end = findCut(text, breaks, Math.max(earliest, lastEnd), latest) ?? latest
    }
    chunks.push({
      text: text.slice(start, end),
      repeated: lastEnd - start,
      tokens: countBegun(tokenEnds, end) - startToken,
    })
    lastEnd = end
    start = findOverlap(text, breaks, tokenEnds, end, overlapTokens)
  }
  return chunks
}

/** Where the piece after one that ends at `end` begins: at a good place in the first half of what it may repeat. */
function findOverlap(
  text: string,
  breaks: readonly number[],
  tokenEnds: Uint32Array,
  end: number,
  overlapTokens: number,
): number {
  if (overlapTokens === 0) return end
  const endToken = countBegun(tokenEnds, end)
  const earliest = tokenEnds[endToken - overlapTokens - 1] ?? 0
  const latest = tokenEnds[endToken - Math.ceil(overlapTokens / 2) - 1] ?? 0
  return findCut(text, breaks, earliest, latest) ?? earliest
}

/** Tokens whose text is all before the place. Those that end within the character that begins there end at the place too, and belong to it. */
function countEnded(tokenEnds: Uint32Array, place: number): number {
  const first = findReaching(tokenEnds, place)
  return place > 0 && tokenEnds[first] === place ? first + 1 : first
}

/** Tokens of which something is before the place. */
function countBegun(tokenEnds: Uint32Array, place: number): number {
  return place > 0 ? findReaching(tokenEnds, place) + 1 : 0
}

/** The first token that ends at the place or after it. */
function findReaching(tokenEnds: Uint32Array, place: number): number {
  let low = 0
  let high = tokenEnds.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((tokenEnds[middle] as number) < place) low = middle + 1
    else high = middle
  }
  return low
}
