/** Figures and signs that stand for a letter inside a word. Of `1`, `!` and `|` only the word tells whether they are an i or an l. */
export const leetLetters: ReadonlyMap<string, string> = new Map([
  ['0', 'o'],
  ['1', 'i'],
  ['3', 'e'],
  ['4', 'a'],
  ['5', 's'],
  ['7', 't'],
  ['@', 'a'],
  ['$', 's'],
  ['!', 'i'],
])

/** What may stand between the letters of a word that is spelled out. */
export const spellingMarks = ' .-_*,/|+~·•\'"\n'

/** So many single letters in a row are a word that is spelled out; fewer are initials. */
export const leastSpelledLetters = 4

/** Characters between two letters of a word that is spelled out: `k - i - l - l`. */
export const mostSpellingMarks = 3
