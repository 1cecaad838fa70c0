import { isDayOfYear } from '../../calendar.ts'
import type { Recogniser } from '../../recogniser.ts'

/** Name, year, month, day (40 more for women), place of birth, check letter. Digits become letters where two persons would share one. */
export const itFiscalCode: Recogniser = {
  type: 'ITFiscalCode',
  needs: 'digit',
  patterns: [
    {
      source: String.raw`\b[A-Z]{6}[0-9LMNPQRSTUV]{2}[ABCDEHLMPRST][0-7LMNPQRST][0-9LMNPQRSTUV][A-Z][0-9LMNPQRSTUV]{3}[A-Z]\b`,
      ignoreCase: true,
    },
  ],
  isValid(value) {
    // Letters for all seven digits are possible, but nobody is the 128th of a name and day.
    if (!/\d/.test(value)) return false
    const code = value.toUpperCase()
    const number = (start: number, end: number) => Number([...code.slice(start, end)].map(digitOf).join(''))
    const day = number(9, 11)
    const month = 'ABCDEHLMPRST'.indexOf(code[8] as string) + 1
    if (!isDayOfYear(number(6, 8), month, day > 40 ? day - 40 : day)) return false
    let sum = 0
    for (let i = 0; i < 15; i++) {
      const index = Number.parseInt(code[i] as string, 36) % 36
      const place = index > 9 ? index - 10 : index
      sum += i % 2 === 0 ? (oddValues[place] as number) : place
    }
    return String.fromCharCode(65 + (sum % 26)) === code[15]
  },
  isChecked: true,
  edges: 'number',
}

const oddValues = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]

function digitOf(char: string): string {
  const at = 'LMNPQRSTUV'.indexOf(char)
  return at < 0 ? char : String(at)
}
