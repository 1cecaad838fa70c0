import { longestMatch } from '../../../match/regex/reader.ts'
import type { Recogniser } from '../../recogniser.ts'

/** RFC 7468: the header alone already counts, with lines of base64 behind it the key is taken whole. `\n` may be written out, as in JSON. */
const gap = String.raw`(?:\\n|\\r|\s)`

export const privateKey: Recogniser = {
  type: 'PrivateKey',
  needs: 'token',
  patterns: [
    {
      source:
        `-----BEGIN (?:[A-Z]{2,10} ){0,3}PRIVATE KEY(?: BLOCK)?-----` +
        String.raw`(?:${gap}+(?:Proc-Type|DEK-Info|Version|Comment): ?[^\n\\]{1,80})*` +
        `(?:${gap}+[A-Za-z0-9+/]{40,})*` +
        `(?:${gap}+[A-Za-z0-9+/]{1,80}={0,2})?` +
        `(?:${gap}+-----END (?:[A-Z]{2,10} ){0,3}PRIVATE KEY(?: BLOCK)?-----)?`,
    },
  ],
  lengthOf: lengthOfKey,
  isChecked: true,
  edges: 'any',
}

/**
 * Without the line that ends it, the last short line may be a word of what follows: it stays out. A key so long that it is told in
 * parts ends anywhere.
 */
function lengthOfKey(match: string): number {
  if (match.includes('-----END') || match.length >= longestMatch) return match.length
  const last = match.match(/(?:\\n|\\r|\s)+([A-Za-z0-9+/]{1,39}=?=?)$/)
  return last ? match.length - last[0].length : match.length
}
