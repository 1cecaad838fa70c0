import { Fault } from '../../core/fault.ts'
import { refuseParameter } from '../read-page.ts'

/** What callers may upload, and what only work for them makes. */
export const uploadPurposes = ['assistants', 'batch', 'evals', 'fine-tune', 'user_data', 'vision'] as const
const madePurposes = ['assistants_output', 'batch_output', 'fine-tune-results'] as const

const maxNameBytes = 255
const lineFormats = ['batch', 'fine-tune']
const shortestLifeS = 60 * 60
const longestLifeS = 30 * 24 * 60 * 60

/** Throws Fault `invalid-request` that names those allowed. */
export function readPurpose(text: string): string {
  if ((uploadPurposes as readonly string[]).includes(text)) return text
  throw refuseParameter('purpose', text, oneOf(uploadPurposes))
}

/** The same for a list, which also holds what was made. */
export function readListPurpose(text: string | null): string | undefined {
  const all = [...uploadPurposes, ...madePurposes]
  if (!text || (all as readonly string[]).includes(text)) return text || undefined
  throw refuseParameter('purpose', text, oneOf(all))
}

function oneOf(words: readonly string[]): string {
  return `one of ${words.map((word) => JSON.stringify(word)).join(', ')}`
}

/**
 * The name of a file, which is a text to be shown and nothing more. Of a path, as some clients send it, the last part. Throws Fault
 * `invalid-request`.
 */
export function readFilename(text: string, param: string): string {
  const name = text.slice(Math.max(text.lastIndexOf('/'), text.lastIndexOf('\\')) + 1)
  const isName = name !== '' && name !== '.' && name !== '..' && name.isWellFormed() && !/\p{C}/u.test(name)
  if (isName && Buffer.byteLength(name) <= maxNameBytes) return name
  throw refuseParameter(param, name, `a file name of 1 to ${maxNameBytes} bytes, without control characters`)
}

/** Batches and training read lines of JSON, and the hosted services go by the end of the name. Throws Fault `invalid-request`. */
export function requireFormat(purpose: string, filename: string, param: string): void {
  if (!lineFormats.includes(purpose) || /\.jsonl$/i.test(filename)) return
  throw refuseParameter(param, filename, `a name that ends in .jsonl for the purpose "${purpose}"`)
}

export type ExpiresAfter = { readonly anchor?: unknown; readonly seconds?: unknown }

/** `expires_after` in milliseconds; numbers may come as text, from a form. Throws Fault `invalid-request`. */
export function readExpiresAfter({ anchor, seconds }: ExpiresAfter): number | undefined {
  if (anchor === undefined && seconds === undefined) return undefined
  if (anchor !== 'created_at') throw refuse('expires_after[anchor]', anchor, '"created_at"')
  const isNumber = typeof seconds === 'number' || (typeof seconds === 'string' && /^\d{1,9}$/.test(seconds))
  const value = isNumber ? Number(seconds) : Number.NaN
  if (!Number.isInteger(value) || value < shortestLifeS || value > longestLifeS) {
    const days = longestLifeS / 86_400
    const range = `a whole number, ${shortestLifeS} (1 hour) to ${longestLifeS} (${days} days)`
    throw refuse('expires_after[seconds]', seconds, range)
  }
  return value * 1000
}

function refuse(param: string, got: unknown, expected: string): Fault {
  if (got === undefined) {
    return new Fault('invalid-request', `Invalid value for '${param}': it is missing, expected ${expected}.`, { param })
  }
  return refuseParameter(param, typeof got === 'string' ? got : JSON.stringify(got), expected)
}
