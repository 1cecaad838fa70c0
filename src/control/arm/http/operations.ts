import { Fault, toFault } from '../../../core/fault.ts'
import { randomId } from '../../../core/text/id.ts'
import type { ErrorBody } from '../../api.ts'
import type { Answer } from '../../http/answer.ts'
import { type ArmRoute, type ArmVisit, ofLocation, paramOf, provider, route } from './arm-route.ts'
import { describeError } from './errors.ts'

type Verb = 'create' | 'delete'

/** What an id says by itself, whoever is asked: what is to come of which resource, and since when. */
type Ticket = { readonly verb: Verb; readonly path: string; readonly startedAt: number }

type Operation = Ticket & {
  readonly id: string
  /** Who began it. */
  readonly principal: string
  endedAt?: number
  error?: ErrorBody['error']
  status?: number
}

export type OperationsOptions = {
  /** Unix milliseconds. */
  now(): number
  /** How long an answer waits for its work; most is done by then, and what is wrong with it is told at once. */
  readonly settleMs?: number
  /** Told of work that failed after its answer had gone out. */
  onFault(fault: Fault, requestId: string): void
}

export type Operations = {
  /** Does what `work` does. What makes or removes something is answered as an operation, also when it is done already. */
  run(route: ArmRoute, visit: ArmVisit, work: () => Promise<Answer>): Promise<Answer>
  /** Whether the visitor asks about an operation that he began himself. */
  isOwn(visit: ArmVisit): boolean
  /** `isThere` tells whether there is something at a path, on behalf of the visitor; it throws where he may not know. */
  listRoutes(isThere: (path: string, visit: ArmVisit) => Promise<boolean>): readonly ArmRoute[]
}

const usualSettleMs = 5_000
/** Clients take what `Retry-After` says, and half a minute otherwise; none takes less than a second. */
const retryAfter = { 'retry-after': '1' }
const keptOperations = 1_000
/** How long an operation that this process knows nothing of may be one that another process is still about. */
const doubtMs = 60_000

/**
 * Changes that are followed by asking for their status. What runs and what failed is remembered here, the last thousand of them; of any
 * other the id itself says what was to become of it, and whether it did can be seen: so polling outlives a restart, and works on every server.
 */
export function createOperations({ now, settleMs = usualSettleMs, onFault }: OperationsOptions): Operations {
  const operations = new Map<string, Operation>()

  function begin(ticket: Ticket, principal: string): Operation {
    const operation: Operation = { ...ticket, principal, id: writeId(ticket) }
    operations.set(operation.id, operation)
    // Oldest first; a map keeps the order.
    for (const id of operations.keys()) {
      if (operations.size <= keptOperations) break
      operations.delete(id)
    }
    return operation
  }

  async function run(route: ArmRoute, visit: ArmVisit, work: () => Promise<Answer>): Promise<Answer> {
    const path = visit.url.pathname.replace(/\/$/, '')
    const verb = route.method === 'DELETE' ? 'delete' : 'create'
    const operation = begin({ verb, path, startedAt: now() }, visit.principal.id)
    const done = work().then(
      (answer) => {
        operation.endedAt = now()
        return answer
      },
      (error: unknown) => {
        const fault = toFault(error)
        operation.endedAt = now()
        operation.error = describeError(fault, visit.requestId)
        operation.status = fault.status
        throw fault
      },
    )
    const settled = await settleWithin(done, settleMs).catch((error) => {
      // The answer itself tells of it, and nobody will ask.
      operations.delete(operation.id)
      throw error
    })
    if (settled) return finish(settled, operation, visit)
    done.catch((error) => onFault(toFault(error), visit.requestId))
    return finish(verb === 'delete' ? { status: 202 } : describeUnfinished(path, visit), operation, visit)
  }

  /** A change of what was there, and a delete of what was not, are over with their answer. */
  function finish(answer: Answer, operation: Operation, visit: ArmVisit): Answer {
    if (answer.status !== 201 && answer.status !== 202) {
      operations.delete(operation.id)
      return answer
    }
    return { ...answer, headers: { ...answer.headers, ...linksOf(operation, visit), ...retryAfter } }
  }

  async function find(visit: ArmVisit, isThere: (path: string, visit: ArmVisit) => Promise<boolean>): Promise<Found> {
    const id = paramOf(visit, 'operation')
    const ticket = readId(id)
    if (!ticket) throw refuseUnknown(id)
    const known = operations.get(id)
    if (known?.principal === visit.principal.id) return { ...known, state: stateOf(known) }
    // Anybody else who may not read what it is about may not know how it fares.
    const is = await isThere(ticket.path, visit)
    if (known) return { ...known, state: stateOf(known) }
    if (is === (ticket.verb === 'create')) return { ...ticket, id, state: 'Succeeded' }
    if (now() - ticket.startedAt < doubtMs) return { ...ticket, id, state: 'InProgress' }
    const message = 'The server was stopped while this ran, and it did not come to its end. Send the request again.'
    return { ...ticket, id, state: 'Failed', status: 500, error: { code: 'OperationInterrupted', message } }
  }

  return {
    run,
    isOwn: ({ params, principal }) => operations.get(params.operation ?? '')?.principal === principal.id,
    listRoutes(isThere) {
      const action = 'locations/operationResults/read'
      const poll = (kind: string, answer: (found: Found, visit: ArmVisit) => Answer) =>
        route(
          'GET',
          `${ofLocation}/${kind}/{operation}`,
          action,
          async (_, visit) => answer(await find(visit, isThere), visit),
          { isVersionless: true },
        )
      return [poll('operationStatuses', viewStatus), poll('operationResults', viewResult)]
    },
  }
}

type Found = Omit<Operation, 'principal'> & { readonly state: 'InProgress' | 'Succeeded' | 'Failed' }

function viewStatus({ id, startedAt, endedAt, state, error }: Found, { url }: ArmVisit): Answer {
  return {
    status: 200,
    headers: state === 'InProgress' ? retryAfter : {},
    body: {
      id: url.pathname,
      name: id,
      status: state,
      startTime: new Date(startedAt).toISOString(),
      ...(endedAt !== undefined && { endTime: new Date(endedAt).toISOString() }),
      ...(error && { error }),
    },
  }
}

function viewResult({ state, error, status = 500 }: Found, { url }: ArmVisit): Answer {
  if (state === 'InProgress') return { status: 202, headers: { location: url.href, ...retryAfter } }
  return error ? { status, body: { error } } : { status: 204 }
}

function stateOf({ endedAt, error }: Operation): 'InProgress' | 'Succeeded' | 'Failed' {
  if (endedAt === undefined) return 'InProgress'
  return error ? 'Failed' : 'Succeeded'
}

/** undefined when it takes longer. */
async function settleWithin(done: Promise<Answer>, ms: number): Promise<Answer | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((settle) => {
    timer = setTimeout(() => settle(undefined), ms)
  })
  try {
    return await Promise.race([done, late])
  } finally {
    clearTimeout(timer)
  }
}

/** The resource as far as it is known before it is there: its name is the last that the path gives. */
function describeUnfinished(path: string, { params }: ArmVisit): Answer {
  const name = Object.values(params).at(-1)
  return { status: 201, body: { id: path, name, properties: { provisioningState: 'Creating' } } }
}

/** Absolute, since clients do not take others. */
function linksOf({ id, verb }: Operation, { url, params }: ArmVisit): Record<string, string> {
  const link = (kind: string) => {
    const subscription = encodeURIComponent(params.subscription ?? '')
    const location = encodeURIComponent(params.location ?? 'global')
    const path = `/subscriptions/${subscription}/providers/${provider}/locations/${location}/${kind}/${id}`
    const version = url.searchParams.get('api-version') ?? ''
    return `${url.origin}${path}?api-version=${encodeURIComponent(version)}`
  }
  const status = { 'azure-asyncoperation': link('operationStatuses') }
  return verb === 'delete' ? { ...status, location: link('operationResults') } : status
}

function writeId({ verb, path, startedAt }: Ticket): string {
  const target = Buffer.from(path).toString('base64url')
  return `${verb}.${startedAt.toString(36)}.${randomId(12)}.${target}`
}

/** Clients must take addresses of 4 kB. */
const longestId = 3_500

/** The path of what an operation is about; undefined for what is none. */
export function pathOfOperation(id: string): string | undefined {
  return readId(id)?.path
}

function readId(id: string): Ticket | undefined {
  const [, verb, time = '', target = ''] = /^(create|delete)\.([0-9a-z]{1,10})\.\w{12}\.([\w-]+)$/.exec(id) ?? []
  const path = Buffer.from(target, 'base64url').toString()
  if (!verb || id.length > longestId || !path.startsWith('/')) return undefined
  return { verb: verb as Verb, path, startedAt: Number.parseInt(time, 36) }
}

function refuseUnknown(id: string): Fault {
  const shown = JSON.stringify(id.slice(0, 60))
  return new Fault('not-found', `There is no operation ${shown}.`, { vendorCode: 'OperationNotFound' })
}
