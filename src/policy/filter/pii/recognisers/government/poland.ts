import { isDayOfYear } from '../../calendar.ts'
import { digitAt, weighSum } from '../../checksums.ts'
import type { Recogniser } from '../../recogniser.ts'

/** Date of birth (the month tells the century), order, sex and a check digit. */
export const plNationalId: Recogniser = {
  type: 'PLNationalID',
  needs: 'digit',
  patterns: [{ source: String.raw`\b\d{11}\b`, isWeak: true }],
  isValid(value) {
    const month = Number(value.slice(2, 4)) % 20
    if (!isDayOfYear(Number(value.slice(0, 2)), month, Number(value.slice(4, 6)))) return false
    const sum = weighSum(value, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3])
    return (10 - (sum % 10)) % 10 === digitAt(value, 10)
  },
  isChecked: true,
  context: ['pesel', 'numer pesel', 'nr pesel', 'polish national', 'national id', 'national identification'],
  edges: 'number',
}
