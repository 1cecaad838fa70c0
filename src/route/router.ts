import { type Call, isPassCall } from '../core/call.ts'
import { type Leave, placeKey, type Route } from '../core/deployment.ts'
import type { Exchange, ServedTier } from '../core/exchange.ts'
import { Fault, toFault } from '../core/fault.ts'
import type { Backend, Reply } from '../core/reply.ts'
import type { Attempt } from '../core/usage/request-record.ts'
import { makeSpanId } from '../telemetry/traces/trace-context.ts'
import { orderRoutes } from './choose.ts'
import type { Health } from './health.ts'
import { peekFirst } from './peek-first.ts'

export type Router = (exchange: Exchange) => Promise<Reply>

/** Who goes first where calls wait for a backend. */
const ranks: Readonly<Record<ServedTier, number>> = { priority: 0, default: 1, flex: 2 }

/**
 * Picks a backend, tries it, and falls back to the next one as long as nothing has been sent to the caller: a stream counts as
 * begun when its first item is there. Where all that could be asked have their hands full, the call waits for the first of them.
 */
export function createRouter(health: Health, random: () => number): Router {
  /** The reply; a Fault after which another backend may be tried; undefined where the backend is being left alone. */
  async function tryRoute(
    { backend }: Route,
    leave: Leave | undefined,
    exchange: Exchange,
  ): Promise<Reply | Fault | undefined> {
    if (!health.tryEnter(backend.id)) {
      leave?.()
      return undefined
    }
    const attempt = openAttempt(backend.id, exchange)
    try {
      const reply = await begin(backend, exchange, attempt.spanId)
      closeAttempt(attempt, exchange, '')
      health.noteSuccess(backend.id)
      if (leave) exchange.holds.push({ release: leave })
      return reply
    } catch (error) {
      leave?.()
      const fault = toFault(error)
      closeAttempt(attempt, exchange, fault.code)
      if (fault.isUnhealthy) health.noteFailure(backend.id)
      else health.noteNothing(backend.id)
      if (!fault.isRetryable || exchange.signal.aborted || isSpent(exchange.call)) throw fault
      return fault
    }
  }

  return async (exchange) => {
    const { deployment, call, servedTier = 'default', signal } = exchange
    const key = placeKey(deployment)
    let full: Route | undefined
    let lastFault: Fault | undefined
    for (const route of orderRoutes(deployment.routes, random)) {
      if (!route.backend.kinds.has(call.kind)) continue
      const leave = route.places?.take(key)
      if (route.places && !leave) {
        full ??= route
        continue
      }
      const tried = await tryRoute(route, leave, exchange)
      if (tried instanceof Fault) lastFault = tried
      else if (tried) return tried
    }
    if (full?.places && !lastFault) {
      const { record } = exchange
      const from = performance.now()
      if (record.queuedMs < 0) record.queuedMs = from - record.startedMs
      const leave = await full.places.wait(key, ranks[servedTier], signal).finally(() => {
        record.queueMs += performance.now() - from
      })
      const tried = await tryRoute(full, leave, exchange)
      if (tried instanceof Fault) throw tried
      if (tried) return tried
    }
    throw lastFault ?? allOpen(deployment.name, exchange, health)
  }
}

/** Whether nothing is left to send to another backend: a form that was read in part is gone. */
function isSpent(call: Call): boolean {
  return isPassCall(call) && call.form?.isSpent === true
}

function openAttempt(backend: string, { record, tally }: Exchange): Attempt {
  tally.answeredMs = undefined
  tally.status = undefined
  const attempt: Attempt = {
    backend,
    spanId: record.isTraced ? makeSpanId() : '',
    startedMs: performance.now() - record.startedMs,
    ms: -1,
    status: 0,
    code: '',
  }
  record.attempts.push(attempt)
  return attempt
}

/** What answers without a head of its own has begun to when its first item is there. */
function closeAttempt(attempt: Attempt, { record, tally }: Exchange, code: Attempt['code']): void {
  const nowMs = performance.now()
  const beganMs = tally.answeredMs ?? nowMs
  attempt.code = code
  attempt.status = tally.status ?? 0
  attempt.ms = (code === '' ? beganMs : nowMs) - record.startedMs - attempt.startedMs
  if (code === '') record.upstreamMs = beganMs - record.startedMs
}

async function begin(backend: Backend, exchange: Exchange, spanId: string): Promise<Reply> {
  const { call, signal, tally, needsEvents } = exchange
  const { trace } = exchange.record
  const here = trace && spanId !== '' ? { ...trace, spanId } : trace
  const reply = await backend.send(call, signal, tally, needsEvents, here)
  if (reply.kind === 'stream') return { ...reply, events: await peekFirst(reply.events) }
  if (reply.kind === 'bytes' && !(reply.body instanceof Uint8Array))
    return { ...reply, body: await peekFirst(reply.body) }
  if (reply.kind === 'passed') return { ...reply, body: await peekFirst(reply.body) }
  return reply
}

function allOpen(name: string, exchange: Exchange, health: Health): Fault {
  const waits = exchange.deployment.routes.map(({ backend }) => health.retryAfterMs(backend.id))
  return new Fault(
    'breakers-open',
    `Every backend of deployment '${name}' has failed repeatedly and is being left alone for a few seconds.`,
    { retryAfterMs: Math.max(1, Math.min(...waits)) },
  )
}
