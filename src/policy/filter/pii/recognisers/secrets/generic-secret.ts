import { hasEntropy } from '../../entropy.ts'
import type { Recogniser } from '../../recogniser.ts'

const key = `(?:api[_-]?key|access[_-]?key|secret[_-]?key|private[_-]?key|account[_-]?key|auth[_-]?key|subscription[_-]?key|ocp-apim-subscription-key|key|(?:client[_-]?|app[_-]?)?secret|(?:access[_-]?|auth[_-]?|refresh[_-]?|api[_-]?|bearer[_-]?|session[_-]?)?token|passwords?|passwd|pwd|senha|contraseña|passwort|kennwort|credentials?)`

/** What is assigned to a name that means a secret, when it looks drawn at random. */
export const genericSecret: Recogniser = {
  type: 'GenericSecret',
  needs: 'token',
  patterns: [
    {
      source: String.raw`\b(?:[A-Za-z0-9]{1,30}[_-]){0,4}${key}["']?\s{0,2}(?::|=|=>|:=)\s{0,2}["']?[A-Za-z0-9+/_.~!@#$%^&*?-]{8,}={0,2}`,
      ignoreCase: true,
    },
    {
      source: String.raw`\bauthorization["']?\s{0,2}[:=]\s{0,2}["']?(?:bearer|basic|token)\s{1,2}[A-Za-z0-9+/_.~-]{16,}={0,2}`,
      ignoreCase: true,
    },
  ],
  lead: leadOf,
  isValid(value) {
    if (
      /^(?:\$|%|process\.|os\.|env\.|config\.|self\.|this\.|your|my|xxx|example|test_?$|changeme|placeholder)/i.test(
        value,
      )
    )
      return false
    return isPassword(value) || (value.length >= 16 && hasEntropy(value) && !isPlain(value))
  },
  edges: 'any',
}

/** The value begins behind the sign, quote and scheme. */
function leadOf(match: string): number {
  return match.match(/^[^:=]{1,200}(?:=>|:=|:|=)\s{0,2}["']?(?:(?:bearer|basic|token)\s{1,2})?/i)?.[0].length ?? 0
}

/** What people choose: short, but with letters, digits and signs. */
function isPassword(value: string): boolean {
  return value.length <= 32 && /[A-Za-z]/.test(value) && /\d/.test(value) && /[!@#$%^&*?]/.test(value)
}

/** Identifiers, paths, versions and dates: words and short numbers that are joined by signs. */
function isPlain(value: string): boolean {
  return value.split(/[._/~-]/).every((part) => /^(?:[A-Za-z]{0,16}|\d{1,8}|v\d+|[A-Za-z]{2,12}\d{1,4})$/.test(part))
}
