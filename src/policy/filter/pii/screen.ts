import { mayBeUnseen } from './unseen.ts'

/**
 * What a text must hold for personal data to be in it. `digit`: 0 to 9. `at`: an @. `capitals`: six in a row. `token`: what keys and
 * tokens are in, which is 16 characters without a space, an = sign, a dashed line, or digits and signs in one word.
 */
export type PiiClue = keyof typeof clueBits

/** Two that are rare and have few patterns share a bit: each bit costs a reader in streams. */
export const clueBits = { digit: 1, at: 2, capitals: 2, token: 4 }

const allClues = 7

/**
 * The bits of the clues that are in a text, in one pass that is much cheaper than looking for anything. Most sentences have none, and
 * those with a year or a time have no others.
 */
export function findClues(text: string): number {
  let clues = 0
  let run = 0
  let marks = 0
  let capitals = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    const kind = code < 128 ? (kinds[code] as number) : mayBeUnseen(code) ? unseen : space
    if (kind === letter) {
      run++
      capitals = 0
      continue
    }
    if (kind === space) {
      if (run >= tokenRun || marks === digitAndSign) clues |= clueBits.token
      run = 0
      marks = 0
      capitals = 0
      continue
    }
    // Whatever stands before and behind it may belong together.
    if (kind === unseen) return allClues
    run++
    if (kind === capital) {
      if (++capitals >= capitalRun) clues |= clueBits.capitals
      continue
    }
    capitals = 0
    if (kind === digit) {
      clues |= clueBits.digit
      marks |= 1
    } else if (kind === at) {
      clues |= clueBits.at
      marks |= 2
    } else if (kind === sign) marks |= 2
    else if (kind === assigns) clues |= clueBits.token
    else if (kind === dash && text.startsWith('-----', i)) clues |= clueBits.token
  }
  return run >= tokenRun || marks === digitAndSign ? clues | clueBits.token : clues
}

const tokenRun = 16
const capitalRun = 6
const digitAndSign = 3

const letter = 0
const space = 1
const capital = 2
const digit = 3
const at = 4
const sign = 5
const assigns = 6
const dash = 7
const unseen = 8

const kinds = new Uint8Array(128)
for (let code = 0; code < 128; code++) {
  const char = String.fromCharCode(code)
  if (/\s/.test(char)) kinds[code] = space
  else if (/[A-Z]/.test(char)) kinds[code] = capital
  else if (/[0-9]/.test(char)) kinds[code] = digit
  else if (/[!#$%^&*?]/.test(char)) kinds[code] = sign
  else if (char === '@') kinds[code] = at
  else if (char === '=') kinds[code] = assigns
  else if (char === '-') kinds[code] = dash
}
