import { digitsOf, isRepeated, passesLuhn } from '../../checksums.ts'
import type { Recogniser } from '../../recogniser.ts'

export const caSocialInsuranceNumber: Recogniser = {
  type: 'CASocialInsuranceNumber',
  needs: 'digit',
  patterns: [{ source: String.raw`\b[1-79]\d{2}[ -]?\d{3}[ -]?\d{3}\b`, isWeak: true }],
  isValid(value) {
    const digits = digitsOf(value)
    return passesLuhn(digits) && !isRepeated(digits)
  },
  isChecked: true,
  context: ['sin', 'social insurance', 'social insurance number', 'nas', 'assurance sociale'],
  edges: 'number',
}
