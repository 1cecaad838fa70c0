import type { Recogniser } from '../../recogniser.ts'

/**
 * Addresses of this very machine, masks and multicast tell nothing about anybody. Four numbers behind the word "version" are a version.
 */
export const ipAddress: Recogniser = {
  type: 'IPAddress',
  needs: 'digit',
  patterns: [
    { source: String.raw`\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b`, isDoubtful: true },
    {
      source: String.raw`\b(?:(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}|(?:[0-9A-Fa-f]{1,4}:){1,6}(?::[0-9A-Fa-f]{1,4}){1,6})\b`,
    },
  ],
  isValid(value) {
    return value.includes(':') ? isIpv6(value) : isIpv4(value)
  },
  context: ['ip', 'ip address', 'address', 'host', 'client', 'from'],
  edges: 'number',
}

function isIpv4(value: string): boolean {
  const parts = value.split('.')
  if (parts.some((part) => Number(part) > 255 || (part.length > 1 && part.startsWith('0')))) return false
  const first = Number(parts[0])
  return first > 0 && first !== 127 && first < 224 && !(first === 169 && parts[1] === '254')
}

/** At most 8 groups, 7 where some are left out; the address of a documented interface alone (`fe80::1`) is still one. */
function isIpv6(value: string): boolean {
  const groups = value.split(':')
  return groups.length <= 8 && groups.filter((group) => group.length > 1).length >= 2 && /\d/.test(value)
}
