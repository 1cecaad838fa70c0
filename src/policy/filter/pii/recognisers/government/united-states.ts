import { digitsOf, isRepeated } from '../../checksums.ts'
import type { Recogniser } from '../../recogniser.ts'

export const usSocialSecurityNumber: Recogniser = {
  type: 'USSocialSecurityNumber',
  needs: 'digit',
  patterns: [
    { source: String.raw`\b\d{3}-\d{2}-\d{4}\b`, isDoubtful: true },
    { source: String.raw`\b\d{3} ?\d{2} ?\d{4}\b`, isWeak: true },
  ],
  // It has no check digit, but areas and groups that were never given, and numbers that became known from advertisements.
  isValid(value) {
    const digits = digitsOf(value)
    const area = Number(digits.slice(0, 3))
    if (area === 0 || area === 666 || area >= 900) return false
    if (digits.slice(3, 5) === '00' || digits.slice(5) === '0000') return false
    return !isRepeated(digits) && digits !== '123456789' && digits !== '078051120' && digits !== '219099999'
  },
  context: [
    'ssn',
    'social security',
    'social security number',
    'social security no',
    'soc sec',
    'seguro social',
    'sécurité sociale',
  ],
  edges: 'number',
}

export const usIndividualTaxpayerIdentification: Recogniser = {
  type: 'USIndividualTaxpayerIdentification',
  needs: 'digit',
  patterns: [
    { source: String.raw`\b9\d{2}-\d{2}-\d{4}\b` },
    { source: String.raw`\b9\d{2} ?\d{2} ?\d{4}\b`, isWeak: true },
  ],
  isValid(value) {
    const group = Number(digitsOf(value).slice(3, 5))
    return (group >= 50 && group <= 65) || (group >= 70 && group <= 88) || (group >= 90 && group <= 99 && group !== 93)
  },
  context: ['itin', 'taxpayer', 'taxpayer identification', 'individual taxpayer', 'tax id', 'tin'],
  edges: 'number',
}

export const passportNumber: Recogniser = {
  type: 'USUKPassportNumber',
  needs: 'digit',
  patterns: [{ source: String.raw`\b[A-Z]?\d{8,9}\b`, isWeak: true }],
  isValid: (value) => value.length === 9 && !isRepeated(value.slice(1)),
  context: [
    'passport',
    'passport number',
    'passport no',
    'passaporte',
    'reisepass',
    'passnummer',
    'passeport',
    'pasaporte',
  ],
  edges: 'number',
}

/** Every state has its own form; what they have in common is that a word says what it is. */
export const usDriversLicenseNumber: Recogniser = {
  type: 'USDriversLicenseNumber',
  needs: 'digit',
  patterns: [
    {
      source: String.raw`\b(?:[A-Z]{1,2}\d{5,13}|\d{7,10}|[A-Z]\d{3}-\d{3,4}-\d{2,4}(?:-\d{3,4})?(?:-\d)?)\b`,
      isWeak: true,
    },
  ],
  isValid: (value) => !isRepeated(digitsOf(value)),
  context: [
    "driver's license",
    'driver’s license',
    'drivers license',
    'driver license',
    "driver's licence",
    'driving licence',
    'driving license',
    'dl number',
    'dl no',
    'license number',
    'carta de condução',
    'cnh',
    'führerschein',
    'permis de conduire',
    'licencia de conducir',
  ],
  edges: 'number',
}
