import type { Recogniser } from '../../recogniser.ts'

const letters = 'TRWAGMYFPDXBNJZSQVHLCKE'

export const esDni: Recogniser = {
  type: 'ESDNI',
  needs: 'digit',
  patterns: [{ source: String.raw`\b(?:\d{8}|\d{2}\.\d{3}\.\d{3})[ -]?[TRWAGMYFPDXBNJZSQVHLCKE]\b` }],
  isValid: (value) => hasLetter(Number(value.replace(/[^0-9]/g, '')), value),
  isChecked: true,
  edges: 'number',
}

/** Foreigners have X, Y or Z for the first digit. */
export const esNie: Recogniser = {
  type: 'ESTaxIdentificationNumber',
  needs: 'digit',
  patterns: [{ source: String.raw`\b[XYZ][ -]?\d{7}[ -]?[TRWAGMYFPDXBNJZSQVHLCKE]\b` }],
  isValid: (value) => hasLetter(Number('XYZ'.indexOf(value[0] as string) + value.replace(/[^0-9]/g, '')), value),
  isChecked: true,
  edges: 'number',
}

function hasLetter(number: number, value: string): boolean {
  return number > 0 && letters[number % 23] === value.at(-1)
}
