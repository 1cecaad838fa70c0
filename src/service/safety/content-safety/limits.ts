import { Fault } from '../../../core/fault.ts'

/** Bounds of Azure AI Content Safety. Lengths are Unicode code points. */
export const maxTextPoints = 10_000
export const maxDocuments = 5
export const minProtectedPoints = 110
export const maxProtectedPoints = 1_000
export const maxAnswerPoints = 7_500
export const maxSourcePoints = 55_000

/** Throws Fault `invalid-request` for a text that is too long or too short. Texts of callers are not repeated. */
export function requireLength(text: string, field: string, max: number, min = 1): void {
  const points = countPoints(text)
  if (points >= min && points <= max) return
  refuse(field, `got ${points} characters, expected ${min} to ${max}`)
}

export function countPoints(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

export function refuse(field: string, why: string): never {
  throw new Fault('invalid-request', `Invalid value for '${field}': ${why}.`, { param: field })
}
