import type { Event } from '../../../core/event.ts'
import { type Ledger, openLedger } from '../ledger.ts'
import type { PiiMatch } from '../plan.ts'
import { textsIn } from '../prompt/read-prompt.ts'
import { scanText } from '../scan.ts'
import { type Channel, type Edit, openChannel } from './channel.ts'
import { type JsonTextReader, openJsonText } from './json-text.ts'
import { type AnswerContext, createWindowJudge, needsWindows } from './judge-window.ts'
import { cleanLogprobs } from './logprobs.ts'
import { openWindows, type Windows } from './windows.ts'

/** An answer that goes out at once is stopped within 1,000 characters of what it is stopped for: nobody is further ahead of the judges. */
const mostAheadChars = 950
/** About how often an answer that goes out at once is annotated. */
const annotateEveryChars = 400

export type ChoiceEvent = Extract<Event, { readonly choice: number }>

export type ChoiceGateOptions = {
  readonly choice: number
  readonly context: AnswerContext
  /** Whether the answer's text is itself JSON. */
  readonly isJson: boolean
  readonly isExplained: boolean
  /** Characters of the prompt, from whose start Azure counts. */
  readonly promptChars: number
  writeRedaction(match: PiiMatch, text: string): string
  /** Called when a judge that takes its time has spoken. */
  onVerdict(): void
}

/** All texts of one choice on their way out. */
export type ChoiceGate = {
  /** Takes an event; gives out those that may go, in their order. */
  take(event: ChoiceEvent): readonly ChoiceEvent[]
  /** The upstream has ended; a choice that it has not ended is. */
  end(): readonly ChoiceEvent[]
  /** What may go now that a verdict has come, or that time has passed. Throws what a judge failed with. */
  release(): readonly ChoiceEvent[]
  /** Judges what waits for the end of a clause or sentence as it is. */
  judgeNow(): readonly ChoiceEvent[]
  /** Whether `judgeNow` would do anything. */
  readonly holds: boolean
  /** Whether so much is unjudged that no more should be read. */
  readonly isFull: boolean
  /** Whether a verdict is being waited for. */
  readonly isBusy: boolean
  /** Whether anything has not gone out yet; else neither of the three above is so. */
  readonly isWaiting: boolean
  /** Whether its last event has gone out. */
  readonly isOver: boolean
  readonly ledger: Ledger
}

type Lane = {
  readonly channel: Channel
  readonly windows: Windows | undefined
  readonly json: JsonTextReader | undefined
  /** Raw characters read. */
  read: number
}

type TextDelta = Extract<ChoiceEvent, { type: 'text-delta' }>
type TextEvent = Extract<ChoiceEvent, { type: 'text-delta' | 'reasoning-delta' | 'refusal-delta' | 'tool-call-delta' }>

/** `lane` undefined: goes out when its turn comes. `beside`: where a text that goes with it ends in its own lane. */
type Item = {
  readonly event: ChoiceEvent
  readonly lane: Lane | undefined
  from: number
  readonly end: number
  readonly beside?: { readonly lane: Lane; readonly end: number } | undefined
}

export function openChoiceGate(options: ChoiceGateOptions): ChoiceGate {
  const { choice, context, isExplained } = options
  const { direction } = context
  const isAsynchronous = direction.plan.mode === 'asynchronous'
  const hasWindows = needsWindows(context)
  const ledger = openLedger(direction)
  const lanes = new Map<string, Lane>()
  const queue: Item[] = []
  let isOver = false
  let hasEnded = false
  let wasCut = false
  let annotatedTo = 0

  function laneOf(name: string, isJson: boolean): Lane {
    const known = lanes.get(name)
    if (known) return known
    const at = `choices[${choice}].${name}`
    const lane: Lane = {
      channel: openChannel({ direction, ledger, at, writeRedaction: options.writeRedaction }),
      windows: hasWindows
        ? openWindows({
            judge: createWindowJudge(context, ledger, at),
            isAsynchronous,
            onVerdict: options.onVerdict,
          })
        : undefined,
      json: isJson ? openJsonText() : undefined,
      read: 0,
    }
    lanes.set(name, lane)
    return lane
  }

  /** Puts an event in line, whose text is `raw`. */
  function enqueue(event: ChoiceEvent, lane: Lane, raw: string, beside?: Item['beside']): void {
    const from = lane.read
    lane.read += raw.length
    const text = lane.json ? lane.json.read(raw) : raw
    if (text !== '') feed(lane, text)
    queue.push({ event, lane, from, end: lane.read, beside })
  }

  function feed(lane: Lane, text: string): void {
    lane.channel.feed(text)
    lane.windows?.feed(text)
  }

  /** A text that comes as a whole, such as a name. */
  function scanWhole(name: string, text: string): void {
    if (text === '') return
    const wasFiltered = ledger.isFiltered
    scanText(direction, { role: 'assistant', text }, `choices[${choice}].${name}`, ledger)
    if (!wasFiltered && ledger.isFiltered) wasCut = true
  }

  function endLanes(): void {
    for (const lane of lanes.values()) {
      const rest = lane.json?.end() ?? ''
      if (rest !== '') feed(lane, rest)
      lane.channel.end()
      lane.windows?.end()
    }
  }

  function accept(event: ChoiceEvent): void {
    switch (event.type) {
      case 'text-delta':
        enqueue(event, laneOf('text', options.isJson), event.text, event.logprobs && readLogprobs(event))
        break
      case 'reasoning-delta':
        enqueue(event, laneOf('reasoning', false), event.text)
        break
      case 'refusal-delta':
        enqueue(event, laneOf('refusal', false), event.text)
        break
      case 'tool-call-start':
        scanWhole('tool_calls', event.name)
        queue.push({ event, lane: undefined, from: 0, end: 0 })
        break
      case 'tool-call-delta':
        enqueue(event, laneOf(`tool_calls[${event.index}].arguments`, true), event.arguments)
        break
      case 'message-rest':
        // Unknown fields may say anything, and go out whole.
        for (const [name, value] of Object.entries(event.rest.fields)) {
          const part = { ...event, rest: { ...event.rest, fields: { [name]: value } } }
          enqueue(part, laneOf(name, false), textsIn(value).join(''))
        }
        break
      case 'choice-end':
        hasEnded = true
        endLanes()
        queue.push({ event, lane: undefined, from: 0, end: 0 })
        break
      default:
        queue.push({ event, lane: undefined, from: 0, end: 0 })
    }
  }

  /** Tokens that are not those of the text are a text of their own. */
  function readLogprobs(event: TextDelta): Item['beside'] {
    const told = (event.logprobs ?? []).map(({ token }) => token).join('')
    if (told === event.text) return undefined
    const lane = laneOf('logprobs', false)
    lane.read += told.length
    feed(lane, told)
    return { lane, end: lane.read }
  }

  function limitOf({ channel, windows, json }: Lane): number {
    const settled = Math.min(channel.settled, windows?.settled ?? Number.POSITIVE_INFINITY)
    const limit = isAsynchronous ? settled + mostAheadChars : settled
    return json ? json.rawOf(limit) : limit
  }

  /** How far the item's text may go, which cannot be split from what goes with it. */
  function limitFor({ from, beside }: Item, lane: Lane): number {
    if (beside) {
      const cut = cutOf(beside.lane) ?? Number.POSITIVE_INFINITY
      if (Math.min(limitOf(beside.lane), cut) < beside.end) return from
    }
    return limitOf(lane)
  }

  function cutOf({ channel, windows, json }: Lane): number | undefined {
    const never = Number.POSITIVE_INFINITY
    const first = Math.min(channel.cutAt ?? never, windows?.cutAt ?? never)
    if (first === never) return undefined
    return json ? json.rawOf(first) : first
  }

  function failIfJudgeFailed(): void {
    for (const { windows } of lanes.values()) if (windows?.failure !== undefined) throw windows.failure
  }

  function isAnyCut(): boolean {
    if (wasCut) return true
    for (const lane of lanes.values()) if (cutOf(lane) !== undefined) return true
    return false
  }

  function release(): readonly ChoiceEvent[] {
    if (isOver) return nothing
    failIfJudgeFailed()
    const out: ChoiceEvent[] = []
    const isCut = isAnyCut()
    while (queue.length > 0) {
      const item = queue[0] as Item
      if (isCut ? !releaseBeforeCut(item, out) : !releaseNext(item, out)) break
      queue.shift()
    }
    if (isCut) {
      queue.length = 0
      out.push({ type: 'choice-end', choice, reason: 'content_filter', ...annotated(true) })
      isOver = true
    }
    return out
  }

  /** Whether the whole item has gone out. */
  function releaseNext(item: Item, out: ChoiceEvent[]): boolean {
    const { event, lane } = item
    if (!lane) {
      if (event.type !== 'choice-end') {
        out.push(event)
        return true
      }
      for (const other of lanes.values()) if (other.windows?.isBusy || isUnjudged(other)) return false
      if (isAsynchronous) annotate(out, true)
      out.push({ ...event, ...annotated(true) })
      isOver = true
      return true
    }
    const limit = limitFor(item, lane)
    if (limit >= item.end) {
      push(out, item, item.end)
      if (isAsynchronous) annotate(out, false)
      return true
    }
    if (limit > item.from && isSplittable(event)) {
      push(out, item, limit)
      item.from = limit
    }
    return false
  }

  function isUnjudged({ windows, read, json }: Lane): boolean {
    return windows !== undefined && (json ? json.rawOf(windows.settled) : windows.settled) < read
  }

  /** What comes before the cut still goes out; at the cut, or at what waits for a verdict, the answer ends. */
  function releaseBeforeCut(item: Item, out: ChoiceEvent[]): boolean {
    const { event, lane } = item
    if (!lane) {
      if (event.type === 'choice-end' || event.type === 'tool-call-start') return false
      out.push(event)
      return true
    }
    const limit = Math.min(limitFor(item, lane), cutOf(lane) ?? Number.POSITIVE_INFINITY)
    if (limit >= item.end) {
      push(out, item, item.end)
      return true
    }
    if (limit > item.from && isSplittable(event)) push(out, item, limit)
    return false
  }

  function push(out: ChoiceEvent[], item: Item, to: number): void {
    const { event, lane, from } = item
    if (!isText(event) || !lane) {
      out.push(event)
      return
    }
    const begin = item.end - textOf(event).length
    const whole = textOf(event)
    const part = from === begin && to === item.end ? whole : whole.slice(from - begin, to - begin)
    const { edits } = lane.channel
    const text = edits.length === 0 ? part : applyEdits(part, from, edits, lane.json)
    if (text === '' && part !== '') return
    const filter = isAsynchronous ? undefined : ledger.results()
    const logprobs = event.type === 'text-delta' && text === part ? cleanLogprobs(event.logprobs, direction) : undefined
    const next = withText(event, text, filter, logprobs)
    const last = out.at(-1)
    const joined = last && joinText(last, next)
    if (joined) out[out.length - 1] = joined
    else out.push(next)
  }

  function annotate(out: ChoiceEvent[], isLast: boolean): void {
    let judged = 0
    let read = 0
    for (const lane of lanes.values()) {
      judged += Math.min(lane.channel.settled, lane.windows?.settled ?? Number.POSITIVE_INFINITY)
      read += lane.read
    }
    if (!isLast && judged - annotatedTo < annotateEveryChars) return
    const start = options.promptChars + annotatedTo
    annotatedTo = judged
    out.push({
      type: 'choice-filter',
      choice,
      results: ledger.results(),
      offsets: { check: options.promptChars + judged, start, end: options.promptChars + read },
      isStrict: direction.plan.strictAzureChunks,
    })
  }

  function annotated(isLast: boolean) {
    const { explanations } = ledger
    return {
      filter: ledger.results(),
      ...(isLast && isExplained && explanations.length > 0 && { explanations }),
    }
  }

  return {
    take(event) {
      if (isOver) return nothing
      accept(event)
      return release()
    },
    end() {
      if (isOver) return nothing
      if (!hasEnded) accept({ type: 'choice-end', choice, reason: 'stop' })
      return release()
    },
    release,
    judgeNow() {
      for (const { channel, windows } of lanes.values()) {
        if (channel.holdsClause) channel.judgeNow()
        if (windows?.holdsSentence) windows.judgeNow()
      }
      return release()
    },
    get holds() {
      for (const { channel, windows } of lanes.values()) if (channel.holdsClause || windows?.holdsSentence) return true
      return false
    },
    get isFull() {
      for (const lane of lanes.values()) {
        if (!lane.windows?.isBusy) continue
        if (lane.read - (lane.json ? lane.json.rawOf(lane.windows.settled) : lane.windows.settled) > fullChars)
          return true
      }
      return false
    },
    get isBusy() {
      for (const { windows } of lanes.values()) if (windows?.isBusy) return true
      return false
    },
    get isWaiting() {
      return queue.length > 0 || hasWindows
    },
    get isOver() {
      return isOver
    },
    ledger,
  }
}

const nothing: readonly ChoiceEvent[] = []
/** More than this is not read ahead of a judge. */
const fullChars = 4_000

function isText(event: ChoiceEvent): event is TextEvent {
  return 'text' in event || event.type === 'tool-call-delta'
}

/** Probabilities belong to all of a text, unknown fields to who knows what. */
function isSplittable(event: ChoiceEvent): boolean {
  return isText(event) && !(event.type === 'text-delta' && event.logprobs)
}

function textOf(event: TextEvent): string {
  return event.type === 'tool-call-delta' ? event.arguments : event.text
}

function withText(
  event: TextEvent,
  text: string,
  filter: TextEvent['filter'],
  logprobs: TextDelta['logprobs'],
): TextEvent {
  if (event.type === 'tool-call-delta') return { ...event, arguments: text, filter }
  if (event.type === 'text-delta') return { ...event, text, logprobs, filter }
  return { ...event, text, filter }
}

/** What was held back goes out with what follows it, not as a piece of its own. undefined for what does not belong together. */
function joinText(last: ChoiceEvent, next: TextEvent): TextEvent | undefined {
  if (last.type !== next.type) return undefined
  if (last.type === 'tool-call-delta' && next.type === 'tool-call-delta') {
    return last.index === next.index ? { ...next, arguments: last.arguments + next.arguments } : undefined
  }
  if (last.type === 'text-delta' && next.type === 'text-delta') {
    if (last.logprobs || next.logprobs || last.rest || next.rest) return undefined
    return { ...next, text: last.text + next.text }
  }
  return last.type !== 'tool-call-delta' && next.type !== 'tool-call-delta'
    ? { ...next, text: last.text + next.text }
    : undefined
}

/** The characters from `from` on, with what is to be unreadable replaced: where that is cut into pieces, by the first of them. */
function applyEdits(text: string, from: number, edits: readonly Edit[], json: JsonTextReader | undefined): string {
  const to = from + text.length
  let written = ''
  let at = from
  for (const edit of edits) {
    const start = json ? json.rawOf(edit.start) : edit.start
    const end = json ? json.rawOf(edit.end) : edit.end
    if (end <= at) continue
    if (start >= to) break
    if (start >= at) written += text.slice(at - from, start - from) + edit.replacement
    at = Math.min(end, to)
  }
  return written + text.slice(at - from)
}
