import { type Call, isPassCall } from '../core/call.ts'
import type { Exchange } from '../core/exchange.ts'
import { Fault, toFault } from '../core/fault.ts'
import type { Backend, Reply } from '../core/reply.ts'
import { orderRoutes } from './choose.ts'
import type { Health } from './health.ts'
import { peekFirst } from './peek-first.ts'

export type Router = (exchange: Exchange) => Promise<Reply>

/**
 * Picks a backend, tries it, and falls back to the next one as long as nothing has been sent to the caller: a stream counts as
 * begun when its first item is there.
 */
export function createRouter(health: Health, random: () => number): Router {
  return async (exchange) => {
    const { routes, name } = exchange.deployment
    let lastFault: Fault | undefined
    for (const { backend } of orderRoutes(routes, random)) {
      if (!backend.kinds.has(exchange.call.kind)) continue
      if (!health.tryEnter(backend.id)) continue
      exchange.attempts.push(backend.id)
      try {
        const reply = await begin(backend, exchange)
        health.noteSuccess(backend.id)
        return reply
      } catch (error) {
        const fault = toFault(error)
        if (fault.isUnhealthy) health.noteFailure(backend.id)
        else health.noteNothing(backend.id)
        if (!fault.isRetryable || exchange.signal.aborted || isSpent(exchange.call)) throw fault
        lastFault = fault
      }
    }
    throw lastFault ?? allOpen(name, exchange, health)
  }
}

/** Whether nothing is left to send to another backend: a form that was read in part is gone. */
function isSpent(call: Call): boolean {
  return isPassCall(call) && call.form?.isSpent === true
}

async function begin(backend: Backend, exchange: Exchange): Promise<Reply> {
  const reply = await backend.send(exchange.call, exchange.signal, exchange.tally)
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
