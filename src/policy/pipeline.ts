import { type EndListener, type Exchange, type Outcome, releaseHolds } from '../core/exchange.ts'
import { type Fault, toFault } from '../core/fault.ts'
import type { Reply } from '../core/reply.ts'
import { believeUsage } from '../core/usage/usage.ts'
import { closeRecord } from './request-log/close-record.ts'

/** A function around a call. It may refuse with a Fault, change the exchange for `next`, or watch the reply. */
export type Policy = (exchange: Exchange, next: Next) => Promise<Reply>

export type Next = (exchange: Exchange) => Promise<Reply>

export type Pipeline = {
  /** Answers, or rejects with a Fault; either way `end` has to follow once. */
  run(exchange: Exchange): Promise<Reply>
  /** Completes the record of the call, gives back what it held and tells the listeners. To be called when the last byte has gone out, or nothing will. */
  end(exchange: Exchange, outcome: Outcome, fault?: Fault): void
}

/** Policies in the order in which a call meets them, around what answers it. */
export function createPipeline(policies: readonly Policy[], answer: Next, listeners: readonly EndListener[]): Pipeline {
  const run = policies.reduceRight<Next>((next, policy) => (exchange) => policy(exchange, next), answer)
  return {
    run,
    end(exchange, outcome, fault) {
      exchange.tally.usage = believeUsage(exchange.tally.usage)
      closeRecord(exchange, outcome, fault, performance.now())
      releaseHolds(exchange, outcome)
      for (const listen of listeners) listen(exchange, outcome, fault)
    },
  }
}

export function outcomeOf(exchange: Exchange, error: unknown): Outcome {
  return exchange.signal.aborted || toFault(error).code === 'client-gone' ? 'aborted' : 'failed'
}
