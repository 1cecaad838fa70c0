import { weighSum } from '../../checksums.ts'
import type { Recogniser } from '../../recogniser.ts'

export const abaRoutingNumber: Recogniser = {
  type: 'ABARoutingNumber',
  needs: 'digit',
  patterns: [{ source: String.raw`\b[0-3678]\d{8}\b`, isWeak: true }],
  isValid(value) {
    const district = Number(value.slice(0, 2))
    const exists = district <= 12 || (district >= 21 && district <= 32) || (district >= 61 && district <= 72)
    return (exists || district === 80) && Number(value) > 0 && weighSum(value, [3, 7, 1, 3, 7, 1, 3, 7, 1]) % 10 === 0
  },
  isChecked: true,
  context: ['routing', 'routing number', 'routing no', 'aba', 'rtn', 'transit number'],
  edges: 'number',
}
