import { digitAt, digitsOf, isRepeated, weighSum } from '../../checksums.ts'
import type { Recogniser } from '../../recogniser.ts'

export const ukNationalHealthNumber: Recogniser = {
  type: 'UKNationalHealthNumber',
  needs: 'digit',
  patterns: [{ source: String.raw`\b\d{3}[ -]?\d{3}[ -]?\d{4}\b`, isWeak: true }],
  isValid(value) {
    const digits = digitsOf(value)
    const check = (11 - (weighSum(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 11
    return check === digitAt(digits, 9) && !isRepeated(digits)
  },
  isChecked: true,
  context: ['nhs', 'nhs number', 'nhs no', 'national health', 'health service', 'patient number'],
  edges: 'number',
}

export const ukNationalInsuranceNumber: Recogniser = {
  type: 'UKNationalInsuranceNumber',
  needs: 'digit',
  patterns: [
    { source: String.raw`\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b` },
    {
      source: String.raw`\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]?\b`,
      ignoreCase: true,
      isWeak: true,
    },
  ],
  isValid: (value) => !unusedPrefixes.has(value.slice(0, 2).toUpperCase()),
  context: ['nino', 'national insurance', 'national insurance number', 'ni number', 'ni no', 'insurance number'],
  edges: 'number',
}

const unusedPrefixes = new Set(['BG', 'GB', 'KN', 'NK', 'NT', 'TN', 'ZZ'])
