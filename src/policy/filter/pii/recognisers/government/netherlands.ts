import { digitsOf, isRepeated, weighSum } from '../../checksums.ts'
import type { Recogniser } from '../../recogniser.ts'

/** The test of eleven, with the last digit taken away instead of added. Numbers of eight digits have a 0 before them. */
export const nlCitizensServiceNumber: Recogniser = {
  type: 'NLCitizensServiceNumber',
  needs: 'digit',
  patterns: [{ source: String.raw`\b(?:\d{8,9}|\d{4}[. ]\d{2}[. ]\d{3}|\d{3}[. ]\d{3}[. ]\d{3})\b`, isWeak: true }],
  isValid(value) {
    const digits = digitsOf(value).padStart(9, '0')
    return Number(digits) > 0 && !isRepeated(digits) && weighSum(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0
  },
  isChecked: true,
  context: [
    'bsn',
    'burgerservicenummer',
    'burger service nummer',
    'sofinummer',
    'sofi-nummer',
    'citizen service number',
    'dutch tax',
  ],
  edges: 'number',
}
