import { Fault } from '../../core/fault.ts'

const segment = '[A-Za-z0-9_-]{1,200}'
const keyPattern = new RegExp(`^${segment}(?:/${segment})*$`)
const prefixPattern = new RegExp(`^(?:${segment}/)*(?:${segment})?$`)
const mostCharacters = 700

/** Whether blobs can have this key: words of letters, digits, "-" and "_" with "/" between them. There is no way up or out in one. */
export function isBlobKey(text: string): boolean {
  return text.length <= mostCharacters && keyPattern.test(text)
}

/** We make the keys: one that is none is our mistake, and what it holds may be somebody's text. Throws Fault `internal`. */
export function checkBlobKey(key: string): void {
  if (!isBlobKey(key)) throw new Fault('internal', 'what was given is not a key of a blob')
}

/** The same for what keys may begin with, nothing included. */
export function checkBlobPrefix(prefix: string): void {
  if (prefix.length > mostCharacters || !prefixPattern.test(prefix)) {
    throw new Fault('internal', 'what was given is not a beginning of keys of blobs')
  }
}
