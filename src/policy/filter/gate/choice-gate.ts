import type { Rest } from '../../../core/call.ts'
import { type Ledger, openLedger } from '../ledger.ts'
import type { PiiMatch } from '../plan.ts'
import { scanText } from '../scan.ts'
import { type AnswerContext, needsWindows } from './judge-window.ts'
import { type Lane, openLane } from './lane.ts'
import { cleanLogprobs } from './logprobs.ts'
import { judgedFields, listSaid, mapSaid } from './rest-texts.ts'
import { type ChoiceEvent, isText, joinText, type TextDelta, textOf, withText } from './text-events.ts'

/** About how often an answer that goes out at once is annotated. */
const annotateEveryChars = 400
/** When so much of another text has followed, what was held of the one before it goes out: it was no beginning of anything. */
const interruptedChars = 32
/** Unknown fields beyond so many texts share one. */
const mostTexts = 64

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

/** A text and whether another one has followed it. */
type OpenText = {
  readonly lane: Lane
  /** What the whole choice had said when this text last went on. */
  spokenAt: number
  /** Whether it has been judged as it is since then. */
  isPaused: boolean
}

/** A text that goes out with an event, in a lane of its own. */
type Beside = { readonly lane: Lane; readonly from: number; readonly end: number }

/** `lane` undefined: goes out when its turn comes and what is beside it may. Texts of unknown fields come first among those. */
type Item = {
  readonly event: ChoiceEvent
  readonly lane: Lane | undefined
  from: number
  readonly end: number
  readonly beside: readonly Beside[]
}

export function openChoiceGate(options: ChoiceGateOptions): ChoiceGate {
  const { choice, context, isExplained } = options
  const { direction } = context
  const isAsynchronous = direction.plan.mode === 'asynchronous'
  const hasWindows = needsWindows(context)
  const ledger = openLedger(direction)
  const texts = new Map<string, OpenText>()
  const queue: Item[] = []
  let isOver = false
  let hasEnded = false
  let wasCut = false
  let annotatedTo = 0
  /** Characters of texts with a name of their own, in all. */
  let spoken = 0

  function textNamed(name: string, isJson = false): OpenText {
    const known = texts.get(name)
    if (known) return known
    const at = `choices[${choice}].${name}`
    const { writeRedaction, onVerdict } = options
    const lane = openLane({ context, ledger, at, isJson, hasWindows, writeRedaction, onVerdict })
    const text = { lane, spokenAt: spoken, isPaused: false }
    texts.set(name, text)
    return text
  }

  /** Puts an event in line, whose text is `raw`. */
  function enqueue(event: ChoiceEvent, text: OpenText, raw: string, beside: readonly Beside[] = nothingBeside): void {
    queue.push({ event, ...feed(text, raw), beside })
    if (texts.size > 1) pauseInterrupted(interruptedChars)
  }

  function enqueueBare(event: ChoiceEvent, beside: readonly Beside[] = nothingBeside): void {
    queue.push({ event, lane: undefined, from: 0, end: 0, beside })
  }

  function feed(text: OpenText, raw: string): Beside {
    const { lane } = text
    const from = lane.read
    if (raw !== '') {
      text.spokenAt = spoken
      text.isPaused = false
      lane.feed(raw)
    }
    return { lane, from, end: lane.read }
  }

  /** A text that another one has followed is not waited for: it mostly does not go on, and everything behind it would wait too. */
  function pauseInterrupted(chars: number): void {
    for (const text of texts.values()) {
      if (text.isPaused || spoken - text.spokenAt < chars) continue
      text.isPaused = true
      text.lane.pause()
    }
  }

  /** A text that comes as a whole, such as a name. */
  function scanWhole(name: string, text: string): void {
    if (text === '') return
    const wasFiltered = ledger.isFiltered
    scanText(direction, { role: 'assistant', text }, `choices[${choice}].${name}`, ledger)
    if (!wasFiltered && ledger.isFiltered) wasCut = true
  }

  function accept(event: ChoiceEvent): void {
    if (isText(event)) spoken += textOf(event).length
    switch (event.type) {
      case 'text-delta':
        enqueue(event, textNamed('text', options.isJson), event.text, readBeside(event))
        break
      case 'reasoning-delta':
        enqueue(event, textNamed('reasoning'), event.text)
        break
      case 'refusal-delta':
        enqueue(event, textNamed('refusal'), event.text)
        break
      case 'tool-call-start':
        scanWhole('tool_calls', event.name)
        spoken++
        enqueueBare(event)
        break
      case 'tool-call-delta':
        enqueue(event, textNamed(`tool_calls[${event.index}].arguments`, true), event.arguments)
        break
      case 'message-rest':
        // Unknown fields may say anything, and go out whole.
        for (const [name, value] of Object.entries(event.rest.fields)) {
          const rest = { ...event.rest, fields: { [name]: value } }
          enqueueBare({ ...event, rest }, readRest(rest, 'message', event.isWhole))
        }
        break
      case 'choice-end': {
        hasEnded = true
        const beside = readRest(event.rest, 'choice')
        for (const { lane } of texts.values()) lane.end()
        enqueueBare(event, beside)
        break
      }
      default:
        enqueueBare(event)
    }
  }

  function readBeside(event: TextDelta): readonly Beside[] {
    if (!event.rest && !event.logprobs) return nothingBeside
    return [...readRest(event.rest, 'choice'), ...readLogprobs(event)]
  }

  /** Each text in the fields is read on from where the same field said something before; one that is whole is told from the next. */
  function readRest(rest: Rest | undefined, where: string, isWhole = false): readonly Beside[] {
    if (!rest) return nothingBeside
    return judgedFields(rest.fields)
      .flatMap(([name, value]) => listSaid(value, `${where}.${name}`))
      .map(({ path, text }) => {
        const open = textNamed(texts.size < mostTexts || texts.has(path) ? path : where)
        const beside = feed(open, text)
        if (isWhole) {
          open.lane.feed('\n')
          open.lane.pause()
          open.isPaused = true
        }
        return beside
      })
  }

  /** Tokens that are not those of the text are a text of their own. */
  function readLogprobs(event: TextDelta): readonly Beside[] {
    if (!event.logprobs) return nothingBeside
    const told = event.logprobs.map(({ token }) => token).join('')
    return told === event.text ? nothingBeside : [feed(textNamed('logprobs'), told)]
  }

  /** How far the item's text may go, which cannot be split from what goes with it: not even one of no characters goes before that. */
  function limitFor(item: Item, lane: Lane): number {
    return mayGoBeside(item) ? lane.limit : item.from - 1
  }

  function mayGoBeside({ beside }: Item): boolean {
    for (const { lane, end } of beside) {
      if (Math.min(lane.limit, lane.cutAt ?? Number.POSITIVE_INFINITY) < end) return false
    }
    return true
  }

  function failIfJudgeFailed(): void {
    for (const { lane } of texts.values()) if (lane.failure !== undefined) throw lane.failure
  }

  function isAnyCut(): boolean {
    if (wasCut) return true
    for (const { lane } of texts.values()) if (lane.cutAt !== undefined) return true
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
      if (!mayGoBeside(item)) return false
      if (event.type !== 'choice-end') {
        push(out, item, item.end)
        return true
      }
      for (const other of texts.values()) if (other.lane.isUnjudged) return false
      if (isAsynchronous) annotate(out, true)
      out.push({ ...event, ...(event.rest && { rest: editRest(event.rest, item) }), ...annotated(true) })
      isOver = true
      return true
    }
    const limit = limitFor(item, lane)
    if (limit >= item.end) {
      push(out, item, item.end)
      if (isAsynchronous) annotate(out, false)
      return true
    }
    if (limit > item.from && isSplittable(item)) {
      push(out, item, limit)
      item.from = limit
    }
    return false
  }

  /** What comes before the cut still goes out; at the cut, or at what waits for a verdict, the answer ends. */
  function releaseBeforeCut(item: Item, out: ChoiceEvent[]): boolean {
    const { event, lane } = item
    if (!lane) {
      if (event.type === 'choice-end' || event.type === 'tool-call-start' || !mayGoBeside(item)) return false
      push(out, item, item.end)
      return true
    }
    const limit = Math.min(limitFor(item, lane), lane.cutAt ?? Number.POSITIVE_INFINITY)
    if (limit >= item.end) {
      push(out, item, item.end)
      return true
    }
    if (limit > item.from && isSplittable(item)) push(out, item, limit)
    return false
  }

  function push(out: ChoiceEvent[], item: Item, to: number): void {
    const { event, lane, from } = item
    if (!isText(event) || !lane) {
      out.push(event.type === 'message-rest' ? { ...event, rest: editRest(event.rest, item) } : event)
      return
    }
    const begin = item.end - textOf(event).length
    const whole = textOf(event)
    const part = from === begin && to === item.end ? whole : whole.slice(from - begin, to - begin)
    const text = lane.edit(part, from)
    if (text === '' && part !== '') return
    const filter = isAsynchronous ? undefined : ledger.results()
    const isTold = event.type === 'text-delta' && text === part && !item.beside.some(isEdited)
    const next = withText(event, text, filter, isTold ? cleanLogprobs(event.logprobs, direction) : undefined)
    if (next.type === 'text-delta' && next.rest) Object.assign(next, { rest: editRest(next.rest, item) })
    const last = out.at(-1)
    const joined = last && joinText(last, next)
    if (joined) out[out.length - 1] = joined
    else out.push(next)
  }

  /** The fields, with what is to be unreadable in their texts replaced. */
  function editRest(rest: Rest, { beside }: Item): Rest {
    if (!beside.some(isEdited)) return rest
    let place = 0
    const change = (text: string): string => {
      const { lane, from } = beside[place++] as Beside
      return lane.edit(text, from)
    }
    const fields = { ...rest.fields }
    for (const [name, value] of judgedFields(rest.fields)) fields[name] = mapSaid(value, change)
    return { ...rest, fields }
  }

  function annotate(out: ChoiceEvent[], isLast: boolean): void {
    let judged = 0
    let read = 0
    for (const { lane } of texts.values()) {
      judged += lane.judged
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
      for (const { lane } of texts.values()) lane.judgeNow()
      pauseInterrupted(1)
      return release()
    },
    get holds() {
      for (const { lane, isPaused, spokenAt } of texts.values()) {
        if (lane.holds || (!isPaused && spokenAt < spoken && lane.isHeld)) return true
      }
      return false
    },
    get isFull() {
      for (const { lane } of texts.values()) if (lane.isFull) return true
      return false
    },
    get isBusy() {
      for (const { lane } of texts.values()) if (lane.isBusy) return true
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
const nothingBeside: readonly Beside[] = []

/** Probabilities belong to all of a text, unknown fields to who knows what. */
function isSplittable({ event, beside }: Item): boolean {
  return isText(event) && beside.length === 0 && !(event.type === 'text-delta' && event.logprobs)
}

function isEdited({ lane, from, end }: Beside): boolean {
  return lane.isEdited(from, end)
}
