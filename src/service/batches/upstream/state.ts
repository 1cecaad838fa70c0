import type { Json, JsonObject } from '../../../core/json.ts'
import type { BatchOrder } from '../../../core/reply.ts'

/** Lines of an input, `after` not included. */
export type LineRange = { readonly after: number; readonly last: number }

/** A part of a batch that was ordered upstream, or may have been. Times are unix milliseconds. */
export type Chunk = Omit<BatchOrder, 'kind'> &
  LineRange & {
    readonly home: string
    /** Whether no line of the range it was made of is left. */
    readonly isLastOfRange: boolean
    /** The upstream's own; undefined while nobody knows whether it was made. */
    readonly id: string | undefined
    /** How often it was asked about. */
    readonly looks: number
    /** How often its results were read and some of them could not be judged. */
    readonly passes: number
    /** Not before. */
    readonly nextAt: number
    /** When its end was asked for. */
    readonly cancelledAt: number | undefined
  }

/** What is noted of a batch upstream; what is not noted has not been ordered. */
export type UpstreamState = {
  /** How many orders there were, so that each has a tag of its own. */
  readonly made: number
  /** Lines beyond it were not ordered yet. */
  readonly last: number
  /** Lines before it that are to be ordered again. */
  readonly gaps: readonly LineRange[]
  readonly chunks: readonly Chunk[]
  /** Orders that could not be found. Should one turn up after all, it is cancelled. */
  readonly lost: readonly Chunk[]
  /** Orders in a row that were told to come later. */
  readonly refusals: number
  /** Nothing is ordered before. */
  readonly nextAt: number
  /** There are no lines beyond `last`. */
  readonly isDry: boolean
  /** Nothing more is ordered: what has no answer then is run here. */
  readonly isGivenUp: boolean
}

export const freshState: UpstreamState = {
  made: 0,
  last: 0,
  gaps: [],
  chunks: [],
  lost: [],
  refusals: 0,
  nextAt: 0,
  isDry: false,
  isGivenUp: false,
}

/** Whether there is something left to be ordered. */
export function isOrderable({ isGivenUp, isDry, gaps }: UpstreamState): boolean {
  return !isGivenUp && (!isDry || gaps.length > 0)
}

/** Where the next order begins. */
export function nextRange({ gaps, last }: UpstreamState): LineRange {
  return gaps[0] ?? { after: last, last: Number.MAX_SAFE_INTEGER }
}

/** The lines of a range up to `last` are on their way, or have their result. */
export function passRange(
  state: UpstreamState,
  { after, last, isLastOfRange }: Pick<Chunk, 'after' | 'last' | 'isLastOfRange'>,
): Partial<UpstreamState> {
  const [gap, ...others] = state.gaps
  if (gap?.after === after) return { gaps: isLastOfRange ? others : [{ after: last, last: gap.last }, ...others] }
  return { last: Math.max(state.last, last), isDry: isLastOfRange }
}

export function writeState(state: UpstreamState): JsonObject {
  return { upstream: JSON.parse(JSON.stringify(state)) as Json }
}

/** undefined where nothing was noted; else it is what `writeState` wrote. */
export function readState({ upstream }: JsonObject): UpstreamState | undefined {
  return upstream as unknown as UpstreamState | undefined
}
