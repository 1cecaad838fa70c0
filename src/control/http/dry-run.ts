import { Fault } from '../../core/fault.ts'

const tried = new WeakSet<Request>()

/** Whether the request is only to be judged: `?dryRun=true`. Throws Fault `invalid-request` for another value. */
export function isDryRun(request: Request): boolean {
  const value = new URL(request.url).searchParams.get('dryRun')
  if (value === null || value === 'false') return false
  if (value === 'true') {
    tried.add(request)
    return true
  }
  throw refuse(`got ${JSON.stringify(value)}, expected "true" or "false"`)
}

/** Whether whoever handled the request knew that it was only to be judged: what knows nothing of that has done it. */
export function wasTriedOut(request: Request): boolean {
  return tried.has(request)
}

/** For what makes or ends a secret: who wants to see what would be must not find that it is done. */
export function refuseDryRun(request: Request): void {
  if (isDryRun(request)) throw refuse('got "true", but this cannot be tried out; leave it away')
}

function refuse(text: string): Fault {
  return new Fault('invalid-request', `dryRun: ${text}`, { param: 'dryRun' })
}
