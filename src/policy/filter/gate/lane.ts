import type { Ledger } from '../ledger.ts'
import type { PiiMatch } from '../plan.ts'
import { type Channel, openChannel } from './channel.ts'
import { openJsonText } from './json-text.ts'
import { type AnswerContext, createWindowJudge } from './judge-window.ts'
import { applyEdits } from './text-events.ts'
import { openWindows } from './windows.ts'

/** An answer that goes out at once is stopped within 1,000 characters of what it is stopped for: nobody is further ahead of the judges. */
const mostAheadChars = 950
/** More than this is not read ahead of a judge. */
const fullChars = 4_000

/** One text of a choice, judged by everything, whatever way it is written. Places are characters as they came. */
export type Lane = {
  feed(raw: string): void
  end(): void
  /** Judges what waits for the end of a clause or sentence as it is. */
  judgeNow(): void
  /** Judges all that is held as it is, and lets it go. */
  pause(): void
  /** Characters read. */
  readonly read: number
  /** How far it may go out now. */
  readonly limit: number
  /** Where the first thing begins that is kept back. */
  readonly cutAt: number | undefined
  /** How much has been judged. */
  readonly judged: number
  readonly isHeld: boolean
  /** Whether `judgeNow` would do anything. */
  readonly holds: boolean
  /** Whether so much is unjudged that no more should be read. */
  readonly isFull: boolean
  /** Whether a verdict is being waited for, or not everything has been given to those that take their time. */
  readonly isBusy: boolean
  readonly isUnjudged: boolean
  /** Why a judge could not. */
  readonly failure: unknown
  /** The text from that place on, with what is to be unreadable replaced. Pieces come in their order, each once. */
  edit(text: string, from: number): string
  isEdited(from: number, end: number): boolean
}

export type LaneOptions = {
  readonly context: AnswerContext
  readonly ledger: Ledger
  /** As explanations name it: `choices[0].text`. */
  readonly at: string
  /** Whether the text is within JSON: what it says counts, and how it is written too, since some who read it do not decode it. */
  readonly isJson: boolean
  readonly hasWindows: boolean
  writeRedaction(match: PiiMatch, text: string): string
  onVerdict(): void
}

export function openLane({ context, ledger, at, isJson, hasWindows, writeRedaction, onVerdict }: LaneOptions): Lane {
  const { direction } = context
  const isAsynchronous = direction.plan.mode === 'asynchronous'
  const open = () => openChannel({ direction, ledger, at, writeRedaction })
  const channel = open()
  const json = isJson ? openJsonText() : undefined
  const windows = hasWindows
    ? openWindows({ judge: createWindowJudge(context, ledger, at), isAsynchronous, onVerdict })
    : undefined
  /** From the first escape on: before it both readings are the same. */
  let written: { readonly channel: Channel; readonly from: number } | undefined
  let read = 0

  const rawOf = (place: number): number => (json ? json.rawOf(place) : place)

  function feedText(text: string): void {
    if (text === '') return
    channel.feed(text)
    windows?.feed(text)
  }

  function settledOf(): number {
    return Math.min(channel.settled, windows?.settled ?? Number.POSITIVE_INFINITY)
  }

  return {
    feed(raw) {
      if (json && !written && raw.includes('\\')) written = { channel: open(), from: read }
      read += raw.length
      written?.channel.feed(raw)
      feedText(json ? json.read(raw) : raw)
    },
    end() {
      feedText(json?.end() ?? '')
      written?.channel.end()
      channel.end()
      windows?.end()
    },
    judgeNow() {
      if (written?.channel.holdsClause) written.channel.judgeNow()
      if (channel.holdsClause) channel.judgeNow()
      if (windows?.holdsSentence) windows.judgeNow()
    },
    pause() {
      written?.channel.pause()
      channel.pause()
      windows?.pause()
    },
    get read() {
      return read
    },
    get limit() {
      const settled = rawOf(settledOf())
      const limit = written ? Math.min(settled, written.from + written.channel.settled) : settled
      return isAsynchronous ? Math.min(limit + mostAheadChars, rawOf(channel.redactedTo)) : limit
    },
    get cutAt() {
      const never = Number.POSITIVE_INFINITY
      const said = Math.min(channel.cutAt ?? never, windows?.cutAt ?? never)
      const first = Math.min(
        said === never ? never : rawOf(said),
        written?.channel.cutAt === undefined ? never : written.from + written.channel.cutAt,
      )
      return first === never ? undefined : first
    },
    get judged() {
      return rawOf(settledOf())
    },
    get isHeld() {
      return channel.isHeld || windows?.holdsSentence === true || written?.channel.isHeld === true
    },
    get holds() {
      return channel.holdsClause || windows?.holdsSentence === true || written?.channel.holdsClause === true
    },
    get isFull() {
      return windows?.isBusy === true && read - rawOf(windows.settled) > fullChars
    },
    get isBusy() {
      return windows?.isBusy === true
    },
    get isUnjudged() {
      return windows !== undefined && (windows.isBusy || rawOf(windows.settled) < read)
    },
    get failure() {
      return windows?.failure
    },
    edit(text, from) {
      const { edits } = channel
      const kept = edits.findIndex(({ end }) => rawOf(end) > from)
      if (kept !== 0 && edits.length > 0) channel.forgetEdits(kept < 0 ? edits.length : kept)
      json?.forget(from)
      return edits.length === 0 ? text : applyEdits(text, from, edits, json)
    },
    isEdited(from, end) {
      return channel.edits.some((edit) => rawOf(edit.start) < end && rawOf(edit.end) > from)
    },
  }
}
