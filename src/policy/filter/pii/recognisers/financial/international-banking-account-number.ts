import { passesIban } from '../../checksums.ts'
import type { Recogniser } from '../../recogniser.ts'

/** ISO 13616. Printed in fours. */
export const internationalBankingAccountNumber: Recogniser = {
  type: 'InternationalBankingAccountNumber',
  needs: 'digit',
  patterns: [
    { source: String.raw`\b[A-Z]{2}\d{2}[A-Z0-9]{11,30}\b`, ignoreCase: true },
    { source: String.raw`\b[A-Z]{2}\d{2}(?:[ -][A-Z0-9]{4}){2,7}(?:[ -][A-Z0-9]{1,4})?\b` },
  ],
  lengthOf: lengthOfIban,
  isValid(value) {
    const iban = value.replace(/[ -]/g, '').toUpperCase()
    return ibanLengths.get(iban.slice(0, 2)) === iban.length && passesIban(iban)
  },
  isChecked: true,
  edges: 'number',
}

/** The spaced pattern reads on into a number or word in capitals that follows: the country says where it ends. */
function lengthOfIban(match: string): number {
  const length = ibanLengths.get(match.slice(0, 2).toUpperCase()) ?? 0
  let read = 0
  for (let i = 0; i < match.length; i++) {
    const char = match[i] as string
    if (char !== ' ' && char !== '-') read++
    if (read === length) return i + 1
  }
  return match.length
}

/** Characters of an account number by country, from the registry of SWIFT. */
const ibanLengths = new Map(
  (
    'NO15 BE16 DK18 FI18 FO18 GL18 NL18 SD18 FK18 MK19 SI19 AT20 BA20 EE20 KZ20 LT20 LU20 XK20 MN20 CH21 HR21 LI21 LV21 BG22 BH22 CR22 DE22 ' +
    'GB22 GE22 IE22 ME22 RS22 VA22 AE23 GI23 IL23 IQ23 OM23 SO23 TL23 AD24 CZ24 ES24 MD24 PK24 RO24 SA24 SE24 SK24 TN24 VG24 LY25 PT25 ST25 ' +
    'IS26 TR26 BI27 DJ27 FR27 GR27 IT27 MC27 MR27 SM27 AL28 AZ28 BY28 CY28 DO28 GT28 HU28 LB28 NI28 PL28 SV28 BR29 EG29 PS29 QA29 UA29 JO30 ' +
    'KW30 MU30 YE30 MT31 SC32 LC32 RU33'
  )
    .split(' ')
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
)
