import { digitsOf, isRepeated, passesVerhoeff } from '../../checksums.ts'
import type { Recogniser } from '../../recogniser.ts'

export const inUniqueIdentificationNumber: Recogniser = {
  type: 'INUniqueIdentificationNumber',
  needs: 'digit',
  patterns: [
    { source: String.raw`\b[2-9]\d{3}[ -]\d{4}[ -]\d{4}\b`, isDoubtful: true },
    { source: String.raw`\b[2-9]\d{11}\b`, isWeak: true },
  ],
  isValid(value) {
    const digits = digitsOf(value)
    return passesVerhoeff(digits) && !isRepeated(digits.slice(0, 8))
  },
  isChecked: true,
  context: ['aadhaar', 'aadhar', 'adhaar', 'uidai', 'uid', 'unique identification'],
  edges: 'number',
}

/** Its check letter is computed in a way that is not public; the fourth letter says what kind of taxpayer it is. */
export const inPermanentAccount: Recogniser = {
  type: 'INPermanentAccount',
  needs: 'digit',
  patterns: [{ source: String.raw`\b[A-Z]{3}[ABCFGHJLPT][A-Z]\d{4}[A-Z]\b`, ignoreCase: true, isWeak: true }],
  isValid: (value) => value.slice(5, 9) !== '0000',
  context: ['pan', 'pan card', 'pan number', 'permanent account', 'income tax'],
  edges: 'number',
}
