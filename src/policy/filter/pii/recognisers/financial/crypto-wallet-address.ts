import { createHash } from 'node:crypto'
import type { Recogniser } from '../../recogniser.ts'

/** Bitcoin in both of its spellings, with their checksums. An Ethereum address looks like any hash, so it takes context. */
export const cryptoWalletAddress: Recogniser = {
  type: 'CryptoWalletAddress',
  needs: 'token',
  patterns: [
    { source: String.raw`\b[13][1-9A-HJ-NP-Za-km-z]{25,34}\b` },
    { source: String.raw`\bbc1[02-9ac-hj-np-z]{11,71}\b`, ignoreCase: true },
    { source: String.raw`\b0x[0-9A-Fa-f]{40}\b`, isWeak: true },
  ],
  isValid(value) {
    if (value.startsWith('0x')) return true
    return /^bc1/i.test(value) ? passesBech32(value) : passesBase58Check(value)
  },
  isChecked: true,
  context: [
    'wallet',
    'eth',
    'ether',
    'ethereum',
    'erc20',
    'erc-20',
    'usdt',
    'usdc',
    'crypto',
    'carteira',
    'cartera',
    'portefeuille',
  ],
  edges: 'number',
}

const base58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

/** Version, 20 bytes of hash, and the first four bytes of the hash of both hashed twice. */
function passesBase58Check(value: string): boolean {
  let number = 0n
  for (const char of value) number = number * 58n + BigInt(base58.indexOf(char))
  const hex = number.toString(16).padStart(50, '0')
  if (hex.length !== 50) return false
  const bytes = Buffer.from(hex, 'hex')
  const once = createHash('sha256').update(bytes.subarray(0, 21)).digest()
  return createHash('sha256').update(once).digest().subarray(0, 4).equals(bytes.subarray(21))
}

const bech32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const generators = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]

/** BIP 173, and BIP 350 for later witness versions. Mixed case is not allowed. */
function passesBech32(value: string): boolean {
  const text = value.toLowerCase()
  if (value !== text && value !== value.toUpperCase()) return false
  // The human part "bc", spread out as the standard has it.
  const symbols = [3, 3, 0, 2, 3, ...[...text.slice(3)].map((char) => bech32.indexOf(char))]
  let check = 1
  for (const symbol of symbols) {
    const top = check >>> 25
    check = ((check & 0x1ffffff) << 5) ^ symbol
    for (let bit = 0; bit < 5; bit++) if ((top >> bit) & 1) check ^= generators[bit] as number
  }
  return check === 1 || check === 0x2bc830a3
}
