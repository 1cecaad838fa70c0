import { digitAt, digitsOf, isRepeated, weighSum } from '../../checksums.ts'
import type { Recogniser } from '../../recogniser.ts'

/** The first digits say who has it: persons 1 to 3 and 45, companies 5, public bodies 6, others 7 to 9. */
export const ptTaxIdentificationNumber: Recogniser = {
  type: 'PTTaxIdentificationNumber',
  needs: 'digit',
  patterns: [{ source: String.raw`\b(?:[1-35-9]\d{2}|45\d)[ .]?\d{3}[ .]?\d{3}\b`, isWeak: true }],
  isValid(value) {
    const digits = digitsOf(value)
    const rest = weighSum(digits, [9, 8, 7, 6, 5, 4, 3, 2]) % 11
    return (rest < 2 ? 0 : 11 - rest) === digitAt(digits, 8) && !isRepeated(digits)
  },
  isChecked: true,
  context: [
    'nif',
    'nipc',
    'contribuinte',
    'número de contribuinte',
    'número fiscal',
    'identificação fiscal',
    'portuguese tax',
    'tax number',
    'vat',
  ],
  edges: 'number',
}
