import { digitAt, digitsOf, isRepeated, weighSum } from '../../checksums.ts'
import type { Recogniser } from '../../recogniser.ts'

export const auTaxFileNumber: Recogniser = {
  type: 'AUTaxFileNumber',
  needs: 'digit',
  patterns: [{ source: String.raw`\b\d{3}[ -]?\d{3}[ -]?\d{2,3}\b`, isWeak: true }],
  isValid(value) {
    const digits = digitsOf(value)
    const weights = digits.length === 9 ? [1, 4, 3, 7, 5, 8, 6, 9, 10] : [10, 7, 8, 4, 6, 3, 5, 1]
    return !isRepeated(digits) && weighSum(digits, weights) % 11 === 0
  },
  isChecked: true,
  context: ['tfn', 'tax file number', 'tax file no', 'tax file'],
  edges: 'number',
}

export const auBusinessNumber: Recogniser = {
  type: 'AUBusinessNumber',
  needs: 'digit',
  patterns: [
    { source: String.raw`\b[1-9]\d \d{3} \d{3} \d{3}\b` },
    { source: String.raw`\b[1-9]\d{10}\b`, isWeak: true },
  ],
  // The first digit counts one less.
  isValid(value) {
    const digits = digitsOf(value)
    return (weighSum(digits, [10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]) - 10) % 89 === 0
  },
  isChecked: true,
  context: ['abn', 'australian business number', 'business number'],
  edges: 'number',
}

/** Eight digits, their check digit, the issue of the card, and sometimes the person on it. */
export const auMedicalAccountNumber: Recogniser = {
  type: 'AUMedicalAccountNumber',
  needs: 'digit',
  patterns: [{ source: String.raw`\b[2-6]\d{3}[ -]?\d{5}[ -]?\d(?:[ /-]?\d)?\b`, isWeak: true }],
  isValid(value) {
    const digits = digitsOf(value)
    return weighSum(digits, [1, 3, 7, 9, 1, 3, 7, 9]) % 10 === digitAt(digits, 8) && !isRepeated(digits)
  },
  isChecked: true,
  context: ['medicare', 'medicare number', 'medicare card', 'medicare no'],
  edges: 'number',
}
