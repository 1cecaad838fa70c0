/** Check digits of the numbers that people and accounts have. All take digits only, unless they say otherwise. */

export function digitsOf(text: string): string {
  return text.replace(/[^0-9]/g, '')
}

/** Whether all characters are the same one, which satisfies most checksums and is nobody's number. */
export function isRepeated(text: string): boolean {
  for (let i = 1; i < text.length; i++) if (text.charCodeAt(i) !== text.charCodeAt(0)) return false
  return true
}

/** The sum of the digits times their weights; digits beyond the weights do not count. */
export function weighSum(digits: string, weights: readonly number[]): number {
  let sum = 0
  for (let i = 0; i < weights.length; i++) sum += digitAt(digits, i) * (weights[i] as number)
  return sum
}

/** ISO/IEC 7812-1, annex B: cards, Canadian numbers. */
export function passesLuhn(digits: string): boolean {
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    const digit = digitAt(digits, digits.length - 1 - i)
    const doubled = i % 2 === 1 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}

/** What is left of a number of any length when it is divided by `divisor`; letters count as 10 to 35, as in ISO 7064. */
export function remainderOf(text: string, divisor: number): number {
  let rest = 0
  for (let i = 0; i < text.length; i++) {
    const value = Number.parseInt(text[i] as string, 36)
    rest = (rest * (value > 9 ? 100 : 10) + value) % divisor
  }
  return rest
}

/** ISO 13616: the country and check digits go to the end, and 97 leaves 1. Upper case without separators. */
export function passesIban(iban: string): boolean {
  return remainderOf(iban.slice(4) + iban.slice(0, 4), 97) === 1
}

/** ISO 7064, MOD 11,10: German tax numbers. */
export function passesMod1110(digits: string): boolean {
  let product = 10
  for (let i = 0; i < digits.length - 1; i++) {
    const sum = (digitAt(digits, i) + product) % 10 || 10
    product = (sum * 2) % 11
  }
  return (11 - product) % 10 === digitAt(digits, digits.length - 1)
}

const verhoeffProduct = [
  '0123456789',
  '1234067895',
  '2340178956',
  '3401289567',
  '4012395678',
  '5987604321',
  '6598710432',
  '7659821043',
  '8765932104',
  '9876543210',
]
const verhoeffTurn = [
  '0123456789',
  '1576283094',
  '5803796142',
  '8916043527',
  '9453126870',
  '4286573901',
  '2793806415',
  '7046913258',
]

/** Verhoeff's, over the dihedral group of the pentagon: Aadhaar. */
export function passesVerhoeff(digits: string): boolean {
  let check = 0
  for (let i = 0; i < digits.length; i++) {
    const digit = digitAt(digits, digits.length - 1 - i)
    const turned = digitAt(verhoeffTurn[i % 8] as string, digit)
    check = digitAt(verhoeffProduct[check] as string, turned)
  }
  return check === 0
}

export function digitAt(digits: string, at: number): number {
  return digits.charCodeAt(at) - 48
}
