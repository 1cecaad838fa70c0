import type { Recogniser } from '../../recogniser.ts'

/** RFC 7519, signed: header and claims are JSON objects in base64url, which begin with `eyJ`. */
export const jsonWebToken: Recogniser = {
  type: 'JsonWebToken',
  needs: 'token',
  patterns: [{ source: String.raw`\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]{16,}` }],
  isValid(value) {
    // The rest of one that is so long that it is told in parts.
    if (!value.startsWith('eyJ')) return true
    const header = Buffer.from(value.slice(0, value.indexOf('.')), 'base64url').toString('latin1')
    return /"(?:alg|typ|kid)"/.test(header)
  },
  isChecked: true,
  edges: 'any',
}
