/**
 * Where in `answer` sentences name numbers, dates or proper names that are in none of the documents. Lexical: it compares spellings and
 * knows nothing of what is said. What is said of names and numbers that are there is not judged. Spans are UTF-16 units.
 */
export function findUngrounded(
  answer: string,
  documents: readonly string[],
): readonly { readonly start: number; readonly end: number }[] {
  if (documents.length === 0) return []
  const known = factsOf(documents)
  const found: { start: number; end: number }[] = []
  for (const { start, end } of sentencesOf(answer)) {
    const words = wordsOf(answer.slice(start, end))
    if (words.some((word, index) => isFact(word, index, words) && !isKnown(word.fact, known)))
      found.push({ start, end })
  }
  return found
}

/** Of documents by the list they came in: an answer is judged a window at a time, all of them by the same one. */
const factsByList = new WeakMap<readonly string[], ReadonlySet<string>>()

function factsOf(documents: readonly string[]): ReadonlySet<string> {
  const before = factsByList.get(documents)
  if (before) return before
  const facts = new Set<string>()
  for (const document of documents) for (const { fact } of wordsOf(document)) facts.add(fact)
  factsByList.set(documents, facts)
  return facts
}

type Word = {
  readonly text: string
  /** As it is compared: small letters without accents, numbers without grouping. */
  readonly fact: string
}

const wordPattern = /\p{L}[\p{L}\p{M}\p{Nd}]*(?:['’-][\p{L}\p{M}\p{Nd}]+)*|\p{Nd}+(?:[.,:/]\p{Nd}+)*/gu

function wordsOf(text: string): Word[] {
  return Array.from(text.matchAll(wordPattern), ([word]) => ({ text: word, fact: factOf(word) }))
}

const numerals = [
  'zero',
  'one',
  'two',
  'three',
  'four',
  'five',
  'six',
  'seven',
  'eight',
  'nine',
  'ten',
  'eleven',
  'twelve',
]
const numeralValues = new Map(numerals.map((word, value) => [word, String(value)]))

function factOf(word: string): string {
  if (/^\p{Nd}/u.test(word)) return word.replace(/[.,](?=\d{3}(?!\d))/g, '').replace(/,/g, '.')
  const plain = word
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/['’]s$/, '')
  return numeralValues.get(plain) ?? plain
}

/** Numbers of one figure are counts and list marks; a capital at the beginning of a sentence says nothing. */
function isFact({ text }: Word, index: number, words: readonly Word[]): boolean {
  if (/^\p{Nd}/u.test(text)) return text.length > 1 && !isYearless(text, index)
  if (!/^\p{Lu}/u.test(text) || text.length < 2 || everyday.has(text.toLowerCase())) return false
  return index > 0 || /^\p{Lu}\p{Ll}/u.test(words[1]?.text ?? '')
}

function isYearless(text: string, index: number): boolean {
  return index === 0 && /^\d{1,2}$/.test(text)
}

/** Written with a capital without being names of anything in the documents. */
const everyday = new Set(
  'the this that it he she they we you in on at and but or i dr mr mrs ms st prof sr sra a an of for to as by'.split(
    ' ',
  ),
)

function isKnown(fact: string, known: ReadonlySet<string>): boolean {
  if (known.has(fact)) return true
  // `Lisbon's`, plurals, and names with a hyphen of which the parts are known.
  if (fact.endsWith('s') && known.has(fact.slice(0, -1))) return true
  if (known.has(`${fact}s`)) return true
  return fact.includes('-') && fact.split('-').every((part) => known.has(part))
}

function sentencesOf(text: string): { readonly start: number; readonly end: number }[] {
  const sentences: { start: number; end: number }[] = []
  let start = 0
  const add = (end: number): void => {
    const piece = text.slice(start, end)
    const lead = piece.length - piece.trimStart().length
    const length = piece.trim().length
    if (length > 0) sentences.push({ start: start + lead, end: start + lead + length })
    start = end
  }
  for (let at = 0; at < text.length; at++) {
    const char = text[at] as string
    if (char === '\n') add(at + 1)
    else if ((char === '.' || char === '!' || char === '?') && isBreak(text, at)) add(at + 1)
  }
  add(text.length)
  return sentences
}

/** A dot after a single capital or a short title is no end: `J. Smith`, `Dr. Costa`. */
function isBreak(text: string, at: number): boolean {
  if (at + 1 < text.length && !/\s/.test(text[at + 1] as string)) return false
  return (
    text[at] !== '.' ||
    !/(?:^|[\s(])(?:\p{Lu}|Dr|Mr|Mrs|Ms|St|No|Prof|Sr|Sra)$/u.test(text.slice(Math.max(0, at - 6), at))
  )
}
