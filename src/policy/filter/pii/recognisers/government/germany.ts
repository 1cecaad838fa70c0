import { digitAt, digitsOf, passesMod1110 } from '../../checksums.ts'
import type { Recogniser } from '../../recogniser.ts'

export const deTaxIdentificationNumber: Recogniser = {
  type: 'DETaxIdentificationNumber',
  needs: 'digit',
  patterns: [{ source: String.raw`\b[1-9]\d[ /]?\d{3}[ /]?\d{3}[ /]?\d{3}\b`, isWeak: true }],
  isValid(value) {
    const digits = digitsOf(value)
    return hasOneDouble(digits.slice(0, 10)) && passesMod1110(digits)
  },
  isChecked: true,
  context: [
    'steuer-id',
    'steuerid',
    'steuer-identifikationsnummer',
    'steueridentifikationsnummer',
    'steuerliche identifikationsnummer',
    'steuernummer',
    'idnr',
    'identifikationsnummer',
    'tax id',
    'tax identification',
    'tin',
  ],
  edges: 'number',
}

/** Among the first ten digits exactly one comes twice or three times. */
function hasOneDouble(digits: string): boolean {
  const counts = new Array<number>(10).fill(0)
  for (let i = 0; i < digits.length; i++) counts[digitAt(digits, i)] = (counts[digitAt(digits, i)] as number) + 1
  const repeated = counts.filter((count) => count > 1)
  return repeated.length === 1 && (repeated[0] as number) <= 3
}

/** ICAO 9303: weights 7, 3 and 1, letters from 10 on. The letters are those that are no vowels and cannot be misread. */
export const deIdentityCardNumber: Recogniser = {
  type: 'DEIdentityCardNumber',
  needs: 'digit',
  patterns: [{ source: String.raw`\b[LMNPRTVWXYCFGHJK][CFGHJKLMNPRTVWXYZ0-9]{8}\d(?:D|<<)?`, isWeak: true }],
  isValid(value) {
    let sum = 0
    for (let i = 0; i < 9; i++) sum += Number.parseInt(value[i] as string, 36) * ([7, 3, 1][i % 3] as number)
    return sum % 10 === digitAt(value, 9)
  },
  isChecked: true,
  context: [
    'personalausweis',
    'personalausweisnummer',
    'ausweis',
    'ausweisnummer',
    'ausweis-nr',
    'identity card',
    'id card',
    'bilhete de identidade',
    "carte d'identité",
  ],
  edges: 'number',
}
