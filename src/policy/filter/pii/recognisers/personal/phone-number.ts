import { digitsOf, isRepeated } from '../../checksums.ts'
import type { Recogniser } from '../../recogniser.ts'

/** ITU-T E.164: country code and at most 15 digits in all. National forms are those of countries whose forms are their own. */
export const phoneNumber: Recogniser = {
  type: 'PhoneNumber',
  needs: 'digit',
  patterns: [
    { source: String.raw`\+[1-9]\d{0,2}[ .-]?(?:\(0?\d{1,4}\)[ .-]?)?\d{1,4}(?:[ ./-]?\d{2,4}){1,5}\b` },
    // North America, central Europe, Brazil.
    {
      source: String.raw`\((?:[2-9]\d{2}\) ?[2-9]\d{2}[ .-]\d{4}|0\d{1,5}\) ?\d{2,8}(?:[ -]\d{2,4}){0,3}|\d{2}\) ?9?\d{4}[ -]\d{4})\b`,
    },
    {
      source: String.raw`\b(?:1[ .-])?[2-9]\d{2}(?:-[2-9]\d{2}-|\.[2-9]\d{2}\.)\d{4}\b`,
      isDoubtful: true,
    },
    // Elsewhere: with 00 for +, with the 0 of trunk numbers, in groups or not.
    {
      source: String.raw`\b(?:00[1-9]\d{0,2}[ -]\d{1,4}(?:[ ./-]?\d{2,4}){1,5}|0\d{1,5}[ ./-]\d{2,8}(?:[ -]\d{2,4}){0,4}|\d{7,12}|\d{2,4}(?:[ .-]\d{2,4}){1,4})\b`,
      isWeak: true,
    },
  ],
  isValid(value) {
    const digits = digitsOf(value)
    if (digits.length < 7 || digits.length > 15 || isRepeated(digits.slice(-7))) return false
    if (isDateOrTime(value) || isIpv4(value)) return false
    return !value.startsWith('+') || (digits.length >= 8 && isCountryCode(digits))
  },
  context: [
    'phone',
    'telephone',
    'tel',
    'mobile',
    'cell',
    'cellphone',
    'fax',
    'call',
    'call me',
    'call us',
    'text me',
    'sms',
    'whatsapp',
    'telefone',
    'telemóvel',
    'telemovel',
    'celular',
    'ligue',
    'ligar',
    'telefon',
    'telefonnummer',
    'handy',
    'handynummer',
    'mobil',
    'rufnummer',
    'anrufen',
    'téléphone',
    'portable',
    'appelez',
    'teléfono',
    'telefono',
    'móvil',
    'movil',
    'llame',
    'llámame',
  ],
  edges: 'number',
}

/** Days, spans of years, and opening hours are groups of digits too. */
function isDateOrTime(value: string): boolean {
  return /^\+?(?:(?:19|20)\d\d[ ./-]\d\d[ ./-]\d\d|\d\d?[ ./-]\d\d?[ ./-](?:19|20)\d\d|(?:19|20)\d\d-(?:19|20)\d\d|[012]\d\.[0-5]\d ?- ?[012]\d\.[0-5]\d)$/.test(
    value,
  )
}

function isIpv4(value: string): boolean {
  return /^(?:\d{1,3}\.){3}\d{1,3}$/.test(value)
}

/** Country codes of one and two digits; all others have three. Those that nobody was given are left out. */
const shortCodes = new Set(
  '1 7 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98'.split(
    ' ',
  ),
)
const unusedCodes = new Set('210 214 215 217 219 259 28 83 89 99'.split(' '))

function isCountryCode(digits: string): boolean {
  if (shortCodes.has(digits.slice(0, 1)) || shortCodes.has(digits.slice(0, 2))) return true
  return !unusedCodes.has(digits.slice(0, 2)) && !unusedCodes.has(digits.slice(0, 3))
}
