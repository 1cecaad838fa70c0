import { remainderOf } from '../../checksums.ts'
import type { Recogniser } from '../../recogniser.ts'

/** NIR: sex, year, month, department, commune, order and a key of two digits. Corsica's departments are 2A and 2B. */
export const frSocialSecurityNumber: Recogniser = {
  type: 'FRSocialSecurityNumber',
  needs: 'digit',
  patterns: [
    {
      source: String.raw`\b[1-478] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}\b`,
    },
  ],
  isValid(value) {
    const number = value.replace(/ /g, '').replace('2A', '19').replace('2B', '18')
    return 97 - remainderOf(number.slice(0, 13), 97) === Number(number.slice(13))
  },
  isChecked: true,
  edges: 'number',
}
