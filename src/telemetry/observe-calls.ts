import type { EndListener, Exchange } from '../core/exchange.ts'
import type { Reply } from '../core/reply.ts'
import type { ResourceId } from '../core/resource.ts'
import type { RecordListener } from '../core/usage/request-record.ts'
import type { CallFacts } from './metrics/call-facts.ts'
import { type Span, writeCallSpans } from './traces/call-spans.ts'
import type { Sampler } from './traces/sampler.ts'
import { makeSpanId } from './traces/trace-context.ts'

/** Where spans go; absent, nothing is traced, and what callers say of their traces is only passed on. */
export type Tracing = { readonly sample: Sampler; take(spans: readonly Span[]): void }

export type CallObserver = {
  /** The first of the policies, so that what it sees is all that a caller waits for. */
  readonly policy: (exchange: Exchange, next: (exchange: Exchange) => Promise<Reply>) => Promise<Reply>
  readonly listener: EndListener
  /** Of requests that were refused before they had a deployment. */
  readonly onRefused: RecordListener
}

/** Counts calls, and traces them. Never throws. `nameResource` is what the resource of a deployment is called. */
export function observeCalls(
  facts: CallFacts,
  tracing: Tracing | undefined,
  nameResource: (id: ResourceId | undefined) => string,
): CallObserver {
  /** Lines of batches, and calls of filters, come from within. */
  const place = ({ record, deployment }: Exchange): void => {
    if (record.resource === '') record.resource = nameResource(deployment.resource)
  }
  return {
    policy(exchange, next) {
      place(exchange)
      exchange.holds.push(facts.holdRunning(exchange.deployment, exchange.record.resource))
      if (tracing) beginSpan(exchange, tracing.sample)
      return next(exchange)
    },
    listener(exchange) {
      place(exchange)
      facts.note(exchange.record)
      if (tracing && exchange.record.isTraced) tracing.take(writeCallSpans(exchange))
    },
    onRefused: facts.note,
  }
}

/** From here on what happens, happens in a span of this request. */
function beginSpan({ record }: Exchange, sample: Sampler): void {
  const parent = record.trace
  const { traceId, flags, state, isSampled } = sample(parent)
  record.parentSpanId = parent?.spanId ?? ''
  record.trace = { traceId, spanId: makeSpanId(), flags, state }
  record.traceId = traceId
  record.isTraced = isSampled
}
