import type { Recogniser } from '../../recogniser.ts'

/** IEEE 802 addresses of six octets. Broadcast, the empty address and fill-ins such as `aa:bb:cc:dd:ee:ff` belong to nobody. */
export const macAddress: Recogniser = {
  type: 'MACAddress',
  needs: 'digit',
  patterns: [
    { source: String.raw`\b[0-9A-Fa-f]{2}(?:(?::[0-9A-Fa-f]{2}){5}|(?:-[0-9A-Fa-f]{2}){5})\b` },
    { source: String.raw`\b[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\b`, isWeak: true },
  ],
  isValid(value) {
    const hex = value.replace(/[^0-9A-Fa-f]/g, '').toLowerCase()
    return /\d/.test(hex) && hex !== '000000000000'
  },
  isChecked: true,
  context: ['mac', 'mac address', 'hardware address', 'ethernet', 'wifi', 'wi-fi', 'endereço mac', 'adresse mac'],
  edges: 'number',
}
