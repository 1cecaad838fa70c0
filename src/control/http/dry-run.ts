import { Fault } from '../../core/fault.ts'

/** Whether the request is only to be judged: `?dryRun=true`. Throws Fault `invalid-request` for another value. */
export function isDryRun(request: Request): boolean {
  const value = new URL(request.url).searchParams.get('dryRun')
  if (value === null || value === 'false') return false
  if (value === 'true') return true
  throw refuse(`got ${JSON.stringify(value)}, expected "true" or "false"`)
}

/** For what makes or ends a secret: who wants to see what would be must not find that it is done. */
export function refuseDryRun(request: Request): void {
  if (isDryRun(request)) throw refuse('got "true", but this cannot be tried out; leave it away')
}

function refuse(text: string): Fault {
  return new Fault('invalid-request', `dryRun: ${text}`, { param: 'dryRun' })
}
