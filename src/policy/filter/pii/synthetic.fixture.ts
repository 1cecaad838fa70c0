import { passesIban, passesLuhn, passesMod1110, passesVerhoeff, weighSum } from './checksums.ts'
import type { PiiType } from './pii-types.ts'

/** Made-up values that satisfy the rules of their type, look-alikes that are something else, and sentences around both. */

export type Draw = {
  /** A whole number below `limit`. */
  below(limit: number): number
  pick<T>(choices: readonly T[]): T
  /** As many characters of `alphabet`. */
  chars(count: number, alphabet?: string): string
}

/** The same draws for the same seed (mulberry32). */
export function openDraw(seed: number): Draw {
  let state = seed
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
  const below = (limit: number) => Math.floor(next() * limit)
  return {
    below,
    pick: (choices) => choices[below(choices.length)] as (typeof choices)[number],
    chars: (count, alphabet = '0123456789') =>
      Array.from({ length: count }, () => alphabet[below(alphabet.length)]).join(''),
  }
}

/** Draws until the rule holds: simple, and shares no code with what is tested but the published check itself. */
function drawUntil(make: () => string, holds: (value: string) => boolean): string {
  for (;;) {
    const value = make()
    if (holds(value)) return value
  }
}

function group(digits: string, sizes: readonly number[], separator: string): string {
  const parts: string[] = []
  let rest = digits
  for (const size of sizes) {
    if (rest !== '') parts.push(rest.slice(0, size))
    rest = rest.slice(size)
  }
  return parts.join(separator)
}

const two = (number: number) => String(number).padStart(2, '0')
const hex = '0123456789abcdef'
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'

/** Values of the types that have a checksum. */
export const checkedValues: Partial<Record<PiiType, (draw: Draw) => string>> = {
  CreditCardNumber(draw) {
    const [prefix, length] = draw.pick([
      ['4', 16],
      ['51', 16],
      ['55', 16],
      ['2400', 16],
      ['37', 15],
      ['6011', 16],
      ['3530', 16],
    ] as const)
    const digits = drawUntil(() => prefix + draw.chars(length - prefix.length), passesLuhn)
    const sizes = length === 15 ? [4, 6, 5] : [4, 4, 4, 4]
    return draw.pick([digits, group(digits, sizes, ' '), group(digits, sizes, '-')])
  },
  InternationalBankingAccountNumber(draw) {
    const [country, size] = draw.pick([
      ['DE', 18],
      ['PT', 21],
      ['FR', 23],
      ['ES', 20],
      ['NL', 14],
      ['IT', 23],
      ['GB', 18],
      ['PL', 24],
      ['NO', 11],
    ] as const)
    const bank = country === 'NL' || country === 'GB' ? draw.chars(4, letters) : ''
    const iban = drawUntil(() => country + two(2 + draw.below(97)) + bank + draw.chars(size - bank.length), passesIban)
    return draw.pick([iban, group(iban, [4, 4, 4, 4, 4, 4, 4, 4], ' ')])
  },
  ABARoutingNumber: (draw) =>
    drawUntil(
      () => draw.pick(['02', '11', '26', '31', '07']) + draw.chars(7),
      (value) => weighSum(value, [3, 7, 1, 3, 7, 1, 3, 7, 1]) % 10 === 0,
    ),
  CASocialInsuranceNumber(draw) {
    const digits = drawUntil(() => draw.pick(['1', '4', '5', '7']) + draw.chars(8), passesLuhn)
    return draw.pick([digits, group(digits, [3, 3, 3], ' '), group(digits, [3, 3, 3], '-')])
  },
  UKNationalHealthNumber(draw) {
    const digits = drawUntil(
      () => draw.pick(['4', '6', '9']) + draw.chars(9),
      (value) => weighSum(value, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0,
    )
    return draw.pick([digits, group(digits, [3, 3, 4], ' ')])
  },
  DETaxIdentificationNumber(draw) {
    const digits = drawUntil(
      () => draw.pick(['1', '3', '5', '8']) + draw.chars(10),
      (value) => new Set(value.slice(0, 10)).size === 9 && passesMod1110(value),
    )
    return draw.pick([digits, group(digits, [2, 3, 3, 3], ' ')])
  },
  DEIdentityCardNumber(draw) {
    const body = draw.pick(['L', 'T', 'C', 'R']) + draw.chars(8, 'CFGHJKLMNPRTVWXYZ0123456789')
    let sum = 0
    for (let i = 0; i < 9; i++) sum += Number.parseInt(body[i] as string, 36) * ([7, 3, 1][i % 3] as number)
    return body + (sum % 10)
  },
  FRSocialSecurityNumber(draw) {
    const body =
      draw.pick(['1', '2']) + two(draw.below(100)) + two(1 + draw.below(12)) + two(1 + draw.below(95)) + draw.chars(6)
    const digits = body + two(97 - Number(BigInt(body) % 97n))
    return draw.pick([digits, group(digits, [1, 2, 2, 2, 3, 3, 2], ' ')])
  },
  ESDNI(draw) {
    const digits = draw.chars(8)
    return digits + draw.pick(['', '-']) + 'TRWAGMYFPDXBNJZSQVHLCKE'[Number(digits) % 23]
  },
  ESTaxIdentificationNumber(draw) {
    const digits = draw.chars(7)
    const first = draw.below(3)
    return 'XYZ'[first] + digits + 'TRWAGMYFPDXBNJZSQVHLCKE'[Number(first + digits) % 23]
  },
  ITFiscalCode(draw) {
    const day = 1 + draw.below(28) + draw.pick([0, 40])
    const body =
      draw.chars(6, 'BCDFGLMNPRSTVZ') +
      two(draw.below(100)) +
      draw.pick([...'ABCDEHLMPRST']) +
      two(day) +
      draw.pick([...'AFHL']) +
      draw.chars(3)
    const odd = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]
    const sum = [...body].reduce((total, char, at) => {
      const value = /\d/.test(char) ? Number(char) : char.charCodeAt(0) - 65
      return total + (at % 2 === 0 ? (odd[value] as number) : value)
    }, 0)
    return body + letters[sum % 26]
  },
  NLCitizensServiceNumber: (draw) =>
    drawUntil(
      () => draw.pick(['1', '2', '9']) + draw.chars(8),
      (value) => weighSum(value, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0,
    ),
  PLNationalID(draw) {
    const body =
      two(draw.below(100)) + two(1 + draw.below(12) + draw.pick([0, 20])) + two(1 + draw.below(28)) + draw.chars(4)
    return body + ((10 - (weighSum(body, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10)) % 10)
  },
  BRCPFNumber(draw) {
    const digits = appendElevens(draw.chars(9), [10, 9, 8, 7, 6, 5, 4, 3, 2], [11, 10, 9, 8, 7, 6, 5, 4, 3, 2])
    return draw.pick([digits, `${group(digits.slice(0, 9), [3, 3, 3], '.')}-${digits.slice(9)}`])
  },
  BRLegalEntityNumber(draw) {
    const weights = [5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]
    const digits = appendElevens(`${draw.chars(8)}0001`, weights, [6, ...weights])
    return `${group(digits.slice(0, 8), [2, 3, 3], '.')}/${digits.slice(8, 12)}-${digits.slice(12)}`
  },
  PTTaxIdentificationNumber(draw) {
    const digits = appendElevens(draw.pick(['1', '2', '5']) + draw.chars(7), [9, 8, 7, 6, 5, 4, 3, 2])
    return draw.pick([digits, group(digits, [3, 3, 3], ' ')])
  },
  INUniqueIdentificationNumber(draw) {
    const digits = drawUntil(() => draw.pick(['2', '5', '8']) + draw.chars(11), passesVerhoeff)
    return draw.pick([digits, group(digits, [4, 4, 4], ' ')])
  },
  AUTaxFileNumber(draw) {
    const digits = drawUntil(
      () => draw.pick(['1', '4', '8']) + draw.chars(8),
      (value) => weighSum(value, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0,
    )
    return draw.pick([digits, group(digits, [3, 3, 3], ' ')])
  },
  AUBusinessNumber(draw) {
    const digits = drawUntil(
      () => draw.pick(['1', '5', '9']) + draw.chars(10),
      (value) =>
        weighSum(String(Number(value[0]) - 1) + value.slice(1), [10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]) % 89 === 0,
    )
    return draw.pick([digits, group(digits, [2, 3, 3, 3], ' ')])
  },
  AUMedicalAccountNumber(draw) {
    const body = draw.pick(['2', '3', '4', '5']) + draw.chars(7)
    const digits = body + (weighSum(body, [1, 3, 7, 9, 1, 3, 7, 9]) % 10) + draw.pick(['1', '2'])
    return draw.pick([digits, group(digits, [4, 5, 1], ' ')])
  },
}

function appendElevens(digits: string, ...rounds: (readonly number[])[]): string {
  return rounds.reduce((done, weights) => {
    const rest = weighSum(done, weights) % 11
    return done + (rest < 2 ? 0 : 11 - rest)
  }, digits)
}

/** How people call them, where they name them. */
export const names: Partial<Record<PiiType, readonly string[]>> = {
  CreditCardNumber: ['card', 'credit card number', 'Kreditkarte', 'cartão', 'tarjeta', 'payment method', 'it'],
  InternationalBankingAccountNumber: ['IBAN', 'account', 'Konto', 'conta', 'bank details'],
  ABARoutingNumber: ['routing number', 'ABA', 'bank routing no.'],
  CASocialInsuranceNumber: ['SIN', 'social insurance number', 'NAS'],
  UKNationalHealthNumber: ['NHS number', 'NHS no.', 'National Health Service number'],
  DETaxIdentificationNumber: ['Steuer-ID', 'IdNr', 'steuerliche Identifikationsnummer', 'German tax ID'],
  DEIdentityCardNumber: ['Personalausweis', 'Ausweisnummer', 'identity card'],
  FRSocialSecurityNumber: ['numéro de sécu', 'NIR', 'INSEE number', 'it'],
  ESDNI: ['DNI', 'documento', 'NIF', 'it'],
  ESTaxIdentificationNumber: ['NIE', 'documento', 'it'],
  ITFiscalCode: ['codice fiscale', 'fiscal code', 'it'],
  NLCitizensServiceNumber: ['BSN', 'burgerservicenummer', 'BSN-nummer'],
  PLNationalID: ['PESEL', 'numer PESEL'],
  BRCPFNumber: ['CPF', 'CPF do titular'],
  BRLegalEntityNumber: ['CNPJ', 'empresa', 'it'],
  PTTaxIdentificationNumber: ['NIF', 'contribuinte', 'número de contribuinte'],
  INUniqueIdentificationNumber: ['Aadhaar', 'Aadhaar number', 'UIDAI'],
  AUTaxFileNumber: ['TFN', 'tax file number'],
  AUBusinessNumber: ['ABN', 'Australian Business Number'],
  AUMedicalAccountNumber: ['Medicare', 'Medicare card', 'Medicare number'],
}

/** `#` is the name, `@` the value. The last leave the name out, as people do. */
export const sentences = [
  'My # is @, please update my file.',
  '#: @',
  'Please check the # @ for me.',
  'Customer wrote that the # is @ and asked us to call back.',
  'Could you confirm whether # "@" is valid?',
  '{"#": "@", "status": "open"}',
  'I moved last week. The # on the old contract was @.',
  'Name;#;City\nDoe;@;Porto',
  'Olá, o meu # é @. Obrigado!',
  'Guten Tag, die # lautet @, danke.',
  'Hola, le envío mi #: @',
  'Bonjour, voici # (@).',
] as const
export const namelessSentence = 'Here you are: @, and please keep it safe.'

/** What is nobody's, but has digits enough to be taken for somebody's. */
export const lookAlikes: readonly ((draw: Draw) => string)[] = [
  (draw) => `Your order number is ${draw.chars(16)} and ships tomorrow.`,
  (draw) => `Order ${draw.chars(9)} was delayed by ${draw.below(9)} days.`,
  (draw) => `Tracking 1Z${draw.chars(6, `${letters}0123456789`)}${draw.chars(10)} left the depot.`,
  (draw) => `Invoice no. ${draw.chars(13)} is due in 30 days.`,
  (draw) => `Upgrade to version ${draw.below(20)}.${draw.below(20)}.${draw.below(20)}.${draw.below(20)} first.`,
  (draw) => `npm i left-pad@${draw.below(9)}.${draw.below(30)}.${draw.below(30)} fixed it.`,
  (draw) => `The log says ts=${1_600_000_000_000 + draw.below(180_000_000) * 1000} and nothing else.`,
  (draw) => `At unix time ${1_600_000_000 + draw.below(180_000_000)} the job ended.`,
  (draw) =>
    `2026-${two(1 + draw.below(12))}-${two(1 + draw.below(28))}T${two(draw.below(24))}:${two(draw.below(60))}:${two(draw.below(60))}.${draw.chars(3)}Z INFO started`,
  (draw) => `ISBN 978-${draw.below(10)}-${draw.chars(4)}-${draw.chars(4)}-${draw.below(10)} is out of print.`,
  (draw) => `The book has ISBN 978${draw.chars(10)}.`,
  (draw) =>
    `Request ${draw.chars(8, hex)}-${draw.chars(4, hex)}-4${draw.chars(3, hex)}-a${draw.chars(3, hex)}-${draw.chars(12, hex)} failed.`,
  (draw) => `Commit ${draw.chars(40, hex)} broke the build.`,
  (draw) => `sha256:${draw.chars(64, hex)}`,
  (draw) => `md5 ${draw.chars(32, hex)}  archive.tar.gz`,
  (draw) => `server.listen(8080, '127.0.0.1') // or 0.0.0.0, mask 255.255.${draw.pick(['255', '254'])}.0`,
  (draw) =>
    `The population grew to ${draw.chars(2, '123456789')} ${draw.chars(3)} ${draw.chars(3)} in ${1900 + draw.below(126)}.`,
  (draw) => `Revenue was $${draw.chars(1, '123456789')},${draw.chars(3)},${draw.chars(3)},${draw.chars(3)} last year.`,
  (draw) => `In ${1900 + draw.below(126)} the 10 largest had ${draw.below(900)} members each.`,
  (draw) => `pi is about 3.14159${draw.chars(14)}`,
  (draw) => `const ids = [${draw.chars(9)}, ${draw.chars(9)}, ${draw.chars(9)}]`,
  (draw) => `Part ${draw.chars(3, letters)}-${draw.chars(5)}-${draw.chars(2)} fits model X${draw.chars(4)}.`,
  (draw) => `See https://example.com/items/${draw.chars(12)}?page=${draw.below(90)}&sort=asc`,
  (draw) => `#${draw.chars(6, hex)} and rgb(${draw.below(256)}, ${draw.below(256)}, ${draw.below(256)}) are close.`,
  (draw) => `The ticket ${draw.chars(11)} was closed by the night shift.`,
  (draw) => `Row ${draw.chars(5)}: ${draw.chars(4)} ${draw.chars(4)} ${draw.chars(4)} checksum ok`,
  (draw) => `Serial ${draw.chars(15)} belongs to the pump.`,
  (draw) => `std::vector<int> v{${draw.below(99)}, ${draw.below(99)}}; auto t = a::b(0x${draw.chars(8, hex)});`,
  (draw) =>
    `The match ended ${draw.below(5)}-${draw.below(5)} on 0${1 + draw.below(9)}/0${1 + draw.below(9)}/20${draw.chars(2)}.`,
  (draw) => `EAN 40${draw.chars(11)} costs ${draw.below(99)}.${draw.chars(2)} EUR.`,
]
