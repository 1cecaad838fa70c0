import { digitsOf, isRepeated, passesLuhn } from '../../checksums.ts'
import type { Recogniser } from '../../recogniser.ts'

/** ISO/IEC 7812: 12 to 19 digits whose first ones name the issuer. Printed in fours, American Express as 4-6-5. */
export const creditCardNumber: Recogniser = {
  type: 'CreditCardNumber',
  needs: 'digit',
  patterns: [
    { source: String.raw`\b[2-6]\d{12,18}\b`, isDoubtful: true },
    {
      source: String.raw`\b(?:[2-6]\d{3}[ -]\d{4}[ -]\d{4}[ -]\d{4}(?:[ -]\d{1,3})?|3\d{3}[ -]\d{6}[ -]\d{4,5})\b`,
    },
  ],
  isValid(value) {
    const digits = digitsOf(value)
    return isIssued(digits) && passesLuhn(digits) && !isRepeated(digits)
  },
  isChecked: true,
  context: [
    'card',
    'credit card',
    'debit card',
    'card number',
    'cc',
    'visa',
    'mastercard',
    'amex',
    'cartão',
    'kreditkarte',
    'carte',
    'tarjeta',
  ],
  edges: 'number',
}

type IssuerRange = {
  /** First and last prefix, of the same length. */
  readonly from: number
  readonly to: number
  readonly lengths: readonly number[]
}

const issuerRanges: readonly IssuerRange[] = [
  { from: 4, to: 4, lengths: [13, 16, 19] },
  { from: 51, to: 55, lengths: [16] },
  { from: 2221, to: 2720, lengths: [16] },
  { from: 34, to: 34, lengths: [15] },
  { from: 37, to: 37, lengths: [15] },
  { from: 6011, to: 6011, lengths: [16, 19] },
  { from: 644, to: 649, lengths: [16, 19] },
  { from: 65, to: 65, lengths: [16, 19] },
  { from: 3528, to: 3589, lengths: [16, 19] },
  { from: 300, to: 305, lengths: [14] },
  { from: 36, to: 36, lengths: [14] },
  { from: 38, to: 39, lengths: [14] },
  { from: 62, to: 62, lengths: [16, 17, 18, 19] },
  { from: 5018, to: 5018, lengths: [16, 19] },
  { from: 5020, to: 5020, lengths: [16, 19] },
  { from: 5038, to: 5038, lengths: [16, 19] },
  { from: 6304, to: 6304, lengths: [16, 19] },
  { from: 6759, to: 6759, lengths: [16, 19] },
  { from: 6761, to: 6763, lengths: [16, 19] },
  { from: 5067, to: 5067, lengths: [16] },
  { from: 4011, to: 4011, lengths: [16] },
  { from: 6362, to: 6363, lengths: [16] },
]

function isIssued(digits: string): boolean {
  return issuerRanges.some(({ from, to, lengths }) => {
    const prefix = Number(digits.slice(0, String(from).length))
    return prefix >= from && prefix <= to && lengths.includes(digits.length)
  })
}
