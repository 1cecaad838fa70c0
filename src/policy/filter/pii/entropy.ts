/** Shannon's, in bits per character. */
function bitsPerChar(text: string): number {
  const counts = new Map<string, number>()
  for (const char of text) counts.set(char, (counts.get(char) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length)
  return bits
}

/** Whether a value looks drawn at random: words, file names and fill-in texts have no digits or few different characters. */
export function hasEntropy(value: string): boolean {
  return /\d/.test(value) && /[A-Za-z]/.test(value) && bitsPerChar(value) >= 3
}
