import type { TraceContext } from '../../core/usage/request-record.ts'
import { makeTraceId, sampledFlag } from './trace-context.ts'

/** `isParentBased`: whoever began the trace has decided; only traces that begin here are drawn. `ratio` is from 0 to 1. */
export type SamplerSettings = { readonly isParentBased: boolean; readonly ratio: number }

export type TraceStart = Pick<TraceContext, 'traceId' | 'flags' | 'state'> & { readonly isSampled: boolean }

/** The trace that a request belongs to, its caller's or one of its own, and whether its spans are kept. */
export type Sampler = (parent: TraceContext | undefined) => TraceStart

export function createSampler({ isParentBased, ratio }: SamplerSettings): Sampler {
  // By the id and not by lot, so that all servers with the same ratio keep the same traces.
  const bound = ratio * 2 ** 32
  return (parent) => {
    const traceId = parent?.traceId ?? makeTraceId()
    const isSampled =
      parent && isParentBased ? (parent.flags & sampledFlag) !== 0 : Number.parseInt(traceId.slice(24), 16) < bound
    const others = (parent?.flags ?? 0) & ~sampledFlag
    return { traceId, state: parent?.state, isSampled, flags: isSampled ? others | sampledFlag : others }
  }
}
