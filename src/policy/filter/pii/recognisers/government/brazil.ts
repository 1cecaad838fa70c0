import { digitAt, digitsOf, isRepeated, weighSum } from '../../checksums.ts'
import type { Recogniser } from '../../recogniser.ts'

export const brCpfNumber: Recogniser = {
  type: 'BRCPFNumber',
  needs: 'digit',
  patterns: [
    { source: String.raw`\b\d{3}\.\d{3}\.\d{3}-\d{2}\b` },
    { source: String.raw`\b\d{9}-?\d{2}\b`, isWeak: true },
  ],
  isValid(value) {
    const digits = digitsOf(value)
    if (isRepeated(digits)) return false
    const first = [10, 9, 8, 7, 6, 5, 4, 3, 2]
    return hasCheckDigit(digits, first) && hasCheckDigit(digits, [11, ...first])
  },
  isChecked: true,
  context: ['cpf', 'cadastro de pessoa', 'cadastro de pessoas físicas', 'contribuinte', 'taxpayer', 'tax id'],
  edges: 'number',
}

/** Since 2026 the first twelve places of new numbers may be letters, which count as their ASCII code less 48. */
export const brLegalEntityNumber: Recogniser = {
  type: 'BRLegalEntityNumber',
  needs: 'digit',
  patterns: [
    { source: String.raw`\b[0-9A-Z]{2}\.[0-9A-Z]{3}\.[0-9A-Z]{3}/[0-9A-Z]{4}-\d{2}\b` },
    { source: String.raw`\b\d{14}\b`, isWeak: true },
  ],
  isValid(value) {
    const places = value.replace(/[./-]/g, '')
    if (isRepeated(places)) return false
    const first = [5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]
    return hasCheckDigit(places, first) && hasCheckDigit(places, [6, ...first])
  },
  isChecked: true,
  context: ['cnpj', 'cadastro nacional', 'pessoa jurídica', 'pessoa juridica'],
  edges: 'number',
}

/** What 11 leaves of the weighed sum, taken from 11; 10 and 11 are written as 0. It stands behind the places that have weights. */
function hasCheckDigit(places: string, weights: readonly number[]): boolean {
  const rest = weighSum(places, weights) % 11
  return (rest < 2 ? 0 : 11 - rest) === digitAt(places, weights.length)
}
