import { randomHex } from '../../core/text/id.ts'

const timeDigits = 12
const pattern = /^[A-Za-z0-9_-]{1,100}$/

/**
 * Makes ids of a prefix and 32 hexadecimal digits of which the first twelve are the time, so that they go in the order in which they were
 * made: that is how lists are ordered.
 */
export function createIds(now: () => number): (prefix: string) => string {
  let last = 0
  return (prefix) => {
    last = Math.max(now(), last + 1)
    return prefix + last.toString(16).padStart(timeDigits, '0') + randomHex().slice(timeDigits)
  }
}

/** Whether a text from a request can be one of them: nothing else goes near the database. */
export function canBeFileId(text: string): boolean {
  return pattern.test(text)
}
