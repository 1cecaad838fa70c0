import { Fault } from '../../core/fault.ts'

/**
 * Compares `If-Match` and `If-None-Match` with what is there (undefined: nothing is), a `noun`. Throws Fault `conflict` with status
 * 412 when they do not hold, `invalid-request` for an `If-None-Match` other than `*`.
 */
export function checkPreconditions(
  headers: Headers,
  current: { readonly etag: string; readonly name: string } | undefined,
  noun = 'deployment',
): void {
  const noneMatch = headers.get('if-none-match')
  if (noneMatch !== null && noneMatch.trim() !== '*') {
    throw new Fault('invalid-request', `If-None-Match: got ${JSON.stringify(noneMatch)}, expected *`, {
      param: 'If-None-Match',
    })
  }
  if (noneMatch !== null && current) {
    refuse(
      `There is a ${noun} "${current.name}" already, and names are compared without regard to case. Update it, or choose another name.`,
    )
  }
  const match = headers.get('if-match')
  if (match === null) return
  if (!current) refuse(`If-Match was given but there is no such ${noun}.`)
  const wanted = match.split(',').map((tag) => tag.trim().replace(/^"(.*)"$/, '$1'))
  if (wanted.includes('*') || wanted.includes(current.etag)) return
  refuse(`The ${noun} has changed since the etag of If-Match. Read it again and decide anew.`)
}

function refuse(message: string): never {
  throw new Fault('conflict', message, { status: 412, vendorCode: 'PreconditionFailed' })
}
