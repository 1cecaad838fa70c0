import { isBirthDay } from '../../calendar.ts'
import type { Recogniser } from '../../recogniser.ts'

/** How the months begin in English, Portuguese, German, French and Spanish. */
const months = [
  ['jan', 'ene'],
  ['feb', 'fev', 'fév'],
  ['mar', 'mär', 'maer'],
  ['apr', 'abr', 'avr'],
  ['may', 'mai'],
  ['jun', 'juin'],
  ['jul', 'juil'],
  ['aug', 'ago', 'aoû', 'aou'],
  ['sep', 'set'],
  ['oct', 'out', 'okt'],
  ['nov'],
  ['dec', 'dez', 'dic', 'déc'],
]

const monthName = `(?:${months.flat().join('|')})[a-zà-ÿ]{0,8}`

/** Dates are everywhere; only what is said to be somebody's birth counts. */
export const dateOfBirth: Recogniser = {
  type: 'DateOfBirth',
  needs: 'digit',
  patterns: [
    {
      source: String.raw`\b(?:\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})|(?:19|20)\d{2}[./-]\d{1,2}[./-]\d{1,2})\b`,
      isWeak: true,
    },
    {
      source: String.raw`\b(?:\d{1,2}(?:st|nd|rd|th|\.|º)?,? (?:of |de )?${monthName}\.?,? (?:de |del )?|${monthName}\.? \d{1,2}(?:st|nd|rd|th)?,? )(?:19|20)\d{2}\b`,
      ignoreCase: true,
      isWeak: true,
    },
  ],
  isValid(value) {
    const name = value.match(/[A-Za-zÀ-ÿ]{3,10}/)?.[0]
    const numbers = (value.match(/\d+/g) ?? []).map(Number)
    if (name !== undefined) {
      const month = monthOf(name.toLowerCase())
      return month > 0 && isBirthDay(numbers[1] as number, month, numbers[0] as number)
    }
    const [first, second, third] = numbers as [number, number, number]
    if (first > 99) return isBirthDay(first, second, third)
    const year = third > 99 ? third : 2000 + third
    return isBirthDay(year, second, first) || isBirthDay(year, first, second)
  },
  context: [
    'born',
    'birth',
    'birthday',
    'birthdate',
    'date of birth',
    'dob',
    'd.o.b',
    'nascido',
    'nascida',
    'nasceu',
    'nascimento',
    'geboren',
    'geburtsdatum',
    'geburtstag',
    'geb',
    'né le',
    'née le',
    'naissance',
    'nacido',
    'nacida',
    'nació',
    'nacimiento',
  ],
  edges: 'number',
}

/** 1 to 12, or 0 for what names no month in the languages that context words are known in. */
function monthOf(name: string): number {
  return months.findIndex((starts) => starts.some((start) => name.startsWith(start))) + 1
}
