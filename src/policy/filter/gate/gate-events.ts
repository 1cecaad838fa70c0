import type { Event } from '../../../core/event.ts'
import type { Ledger } from '../ledger.ts'
import { gateRest } from './answer-rest.ts'
import { type ChoiceGate, type ChoiceGateOptions, openChoiceGate } from './choice-gate.ts'
import type { ChoiceEvent } from './text-events.ts'

/** What waits for the end of a clause or sentence is judged as it is when nothing has come for so long. */
const patienceMs = 250

export type GateOptions = Omit<ChoiceGateOptions, 'choice' | 'onVerdict'> & {
  /** Answers that the caller asked for. */
  readonly choices: number
  /** What comes before everything else. */
  readonly first: Extract<Event, { type: 'prompt-filter' }> | undefined
  /** Told once of each choice, when it is over, and of other fields of the answer. */
  onJudged(ledger: Ledger): void
}

/**
 * A streamed answer, of which nothing goes out that a filter keeps back, or may still keep back. A choice that is kept back ends with
 * reason `content_filter`; where it was the last one, the upstream is let go. Rejects with what the upstream or a judge failed with.
 */
export async function* gateEvents(source: AsyncIterable<Event>, options: GateOptions): AsyncGenerator<Event> {
  const iterator = source[Symbol.asyncIterator]()
  /** By the number of their choice, which an upstream may choose as it likes. */
  const gates = new Map<number, ChoiceGate>()
  const alarm = createAlarm()
  const last: Event[] = []
  /** Choices that the upstream has ended itself. */
  const ended = new Set<number>()
  const over = new Set<number>()
  let left = options.choices

  const gateOf = (choice: number): ChoiceGate => {
    const known = gates.get(choice)
    if (known) return known
    const gate = openChoiceGate({ ...options, choice, onVerdict: alarm.ring })
    gates.set(choice, gate)
    return gate
  }
  /** To be asked after everything that a gate did. */
  const noteOver = (choice: number, gate: ChoiceGate): void => {
    if (!gate.isOver || over.has(choice)) return
    over.add(choice)
    if (choice < options.choices) left--
    options.onJudged(gate.ledger)
  }
  function* actAll(work: (gate: ChoiceGate) => readonly ChoiceEvent[]): Generator<Event> {
    for (const [choice, gate] of gates) {
      if (gate.isOver) continue
      yield* work(gate)
      noteOver(choice, gate)
    }
  }

  if (options.first) yield options.first
  let pending: Promise<IteratorResult<Event>> | undefined
  try {
    while (left > 0) {
      const state = readState(gates)
      const { isFull } = state
      if (!isFull) pending ??= iterator.next()
      if (isFull || alarm.hasRung || state.isBusy || state.holds) {
        const woken = await alarm.wait(isFull ? undefined : pending, state.holds ? patienceMs : undefined)
        if (woken !== 'event') {
          yield* actAll((gate) => (woken === 'time' ? gate.judgeNow() : gate.release()))
          continue
        }
      }
      const step: IteratorResult<Event> = await (pending as Promise<IteratorResult<Event>>)
      pending = undefined
      if (step.done) break
      const event = step.value
      if (!('choice' in event)) {
        if (event.type === 'usage') last.push(event)
        else yield event.type === 'prompt-filter' ? event : gateRest(event, options)
        continue
      }
      if (event.type === 'choice-end') ended.add(event.choice)
      const gate = gateOf(event.choice)
      const events = gate.take(event)
      for (let i = 0; i < events.length; i++) yield events[i] as Event
      noteOver(event.choice, gate)
    }
    yield* actAll((gate) => gate.end())
    while (readState(gates).isBusy) {
      await alarm.wait(undefined, undefined)
      yield* actAll((gate) => gate.release())
    }
    // The last verdict may have come before anybody waited for it.
    yield* actAll((gate) => gate.release())
    // An upstream that has ended all of them has only its usage left to tell; another one stops.
    if (ended.size >= options.choices) {
      for await (const event of rest(iterator, pending)) if (event.type === 'usage') last.push(event)
    }
    yield* last
  } finally {
    // Also where the caller has gone, or the answer was cut: the upstream stops, if it is silent at its next word, which nobody waits for.
    pending?.catch(() => {})
    const stopped = iterator.return?.()
    if (pending) stopped?.catch(() => {})
    else await stopped
  }
}

type State = { isFull: boolean; isBusy: boolean; holds: boolean }

const idle: State = { isFull: false, isBusy: false, holds: false }

/** What the gates that are not over wait for. Asked for every event: mostly for nothing. */
function readState(gates: ReadonlyMap<number, ChoiceGate>): State {
  let state = idle
  for (const gate of gates.values()) {
    if (gate.isOver || !gate.isWaiting) continue
    if (state === idle) state = { ...idle }
    state.isFull ||= gate.isFull
    state.isBusy ||= gate.isBusy
    state.holds ||= gate.holds
  }
  return state
}

async function* rest(
  iterator: AsyncIterator<Event>,
  pending: Promise<IteratorResult<Event>> | undefined,
): AsyncGenerator<Event> {
  let step = await (pending ?? iterator.next())
  while (!step.done) {
    yield step.value
    step = await iterator.next()
  }
}

type Woken = 'event' | 'verdict' | 'time'

type Alarm = {
  readonly hasRung: boolean
  ring(): void
  /** Waits for the event, a ring, or the time, whatever comes first. A ring while nobody waited counts for the next wait. */
  wait(event: Promise<unknown> | undefined, ms: number | undefined): Promise<Woken>
}

function createAlarm(): Alarm {
  let wake: ((woken: Woken) => void) | undefined
  let hasRung = false
  return {
    get hasRung() {
      return hasRung
    },
    ring() {
      hasRung = true
      wake?.('verdict')
    },
    async wait(event, ms) {
      if (hasRung) {
        hasRung = false
        return 'verdict'
      }
      let timer: ReturnType<typeof setTimeout> | undefined
      const woken = await new Promise<Woken>((resolve) => {
        wake = resolve
        if (ms !== undefined) timer = setTimeout(resolve, ms, 'time')
        // A failure of it is thrown where it is read.
        event?.then(
          () => resolve('event'),
          () => resolve('event'),
        )
      })
      clearTimeout(timer)
      wake = undefined
      if (woken === 'verdict') hasRung = false
      return woken
    },
  }
}
