import { hardTexts, plainTexts } from '../filter/texts.ts'
import { patternText } from '../manage/filter-documents.ts'
import type { Random } from '../random.ts'

/** Items of blocklists, and texts to look for them in. */

export type Item = { readonly pattern: string; readonly isRegex: boolean }

const letters = ['a', 'b', '1', ' ', '-', 'ab', 'yak'] as const
const quantifiers = ['?', '*', '+', '{2}', '{1,3}', '{0,2}', '{2,}', '+?', '*?'] as const
const sets = ['[ab]', '[^a]', '\\d', '\\w', '\\s', '\\W', '[a-y1]', '.'] as const

/** A pattern of few letters, whose meaning is the same to every engine. */
export function drawPattern(random: Random, depth = 3): string {
  const draw = random.next()
  if (depth === 0 || draw < 0.25) return random.pick(random.chance(0.6) ? letters : sets)
  if (draw < 0.55) return drawPattern(random, depth - 1) + drawPattern(random, depth - 1)
  if (draw < 0.7) return `(?:${drawPattern(random, depth - 1)}|${drawPattern(random, depth - 1)})`
  if (draw < 0.94) return `(${drawPattern(random, depth - 1)})${random.pick(quantifiers)}`
  return random.pick(['^', '\\b', '\\B', '$']) + drawPattern(random, depth - 1)
}

/** Of the letters of such patterns. */
export function drawShortText(random: Random): string {
  return Array.from({ length: random.int(0, 8) }, () => random.pick(letters))
    .join('')
    .slice(0, 12)
}

const words = [
  'ab',
  'ab a',
  'yak',
  'Größe',
  'e\u0301te',
  '\u{1f600}',
  'a',
  '-',
  'quixotic walnut',
  '\u0130x',
  '\ufdfa',
  'ﬁn',
]

export function drawItem(random: Random): Item {
  if (random.chance(0.4)) return { pattern: random.pick(words), isRegex: false }
  return { pattern: random.chance(0.5) ? drawPattern(random) : patternText(random), isRegex: true }
}

const borders = ['', '', ' ', '\u200b', '.', '\u0301', '\n', 'x', '\ud83d', '\u2028', '  \t ']

/** What items may be found in, and what is hard to look through; between them what a word ends with or does not. */
export function drawText(items: readonly Item[], random: Random): string {
  const piece = (): string => {
    const draw = random.next()
    if (draw < 0.35) return random.pick(words)
    if (draw < 0.55) return random.pick(items).pattern.slice(0, 30)
    if (draw < 0.8) return drawShortText(random)
    if (draw < 0.9) return random.pick(plainTexts)
    const hard = random.pick(hardTexts)
    return hard.slice(0, random.chance(0.1) ? hard.length : 300)
  }
  return Array.from({ length: random.int(1, 8) }, () => piece() + random.pick(borders)).join('')
}

/** Mostly a few cuts; now and then at every character, also between the two halves of one. */
export function cutAnywhere(text: string, random: Random): readonly string[] {
  if (text.length < 400 && random.chance(0.3)) return text.split('')
  const places = Array.from({ length: random.int(0, 12) }, () => random.int(0, text.length)).sort((a, b) => a - b)
  return [...places, text.length].map((end, i) => text.slice(places[i - 1] ?? 0, end))
}
