import type { Event } from '../../../core/event.ts'
import { type ChoiceEvent, type ChoiceGate, type ChoiceGateOptions, openChoiceGate } from './choice-gate.ts'

/** What waits for the end of a clause or sentence is judged as it is when nothing has come for so long. */
const patienceMs = 250

export type GateOptions = Omit<ChoiceGateOptions, 'choice' | 'onVerdict'> & {
  /** Answers that the caller asked for. */
  readonly choices: number
  /** What comes before everything else. */
  readonly first: Extract<Event, { type: 'prompt-filter' }> | undefined
  /** Told once of each choice, when it is over. */
  onChoiceOver(gate: ChoiceGate): void
}

/**
 * A streamed answer, of which nothing goes out that a filter keeps back, or may still keep back. A choice that is kept back ends with
 * reason `content_filter`; where it was the last one, the upstream is let go. Rejects with what the upstream or a judge failed with.
 */
export async function* gateEvents(source: AsyncIterable<Event>, options: GateOptions): AsyncGenerator<Event> {
  const iterator = source[Symbol.asyncIterator]()
  const gates: ChoiceGate[] = []
  const alarm = createAlarm()
  const last: Event[] = []
  /** Choices that the upstream has ended itself. */
  const ended = new Set<number>()
  let overCount = 0

  const gateOf = (choice: number): ChoiceGate => {
    gates[choice] ??= openChoiceGate({ ...options, choice, onVerdict: alarm.ring })
    return gates[choice]
  }
  const noteOver = (gate: ChoiceGate, wasOver: boolean): void => {
    if (wasOver || !gate.isOver) return
    overCount++
    options.onChoiceOver(gate)
  }
  function* act(gate: ChoiceGate, work: () => readonly ChoiceEvent[]): Generator<Event> {
    const wasOver = gate.isOver
    const events = work()
    noteOver(gate, wasOver)
    yield* events
  }
  const some = (test: (gate: ChoiceGate) => boolean): boolean =>
    gates.some((gate) => gate && !gate.isOver && test(gate))

  if (options.first) yield options.first
  let pending: Promise<IteratorResult<Event>> | undefined
  try {
    while (overCount < options.choices) {
      const isFull = some((gate) => gate.isFull)
      if (!isFull) pending ??= iterator.next()
      const isWaiting = isFull || alarm.hasRung || some((gate) => gate.isBusy || gate.holds)
      if (isWaiting) {
        const holds = some((gate) => gate.holds)
        const woken = await alarm.wait(isFull ? undefined : pending, holds ? patienceMs : undefined)
        if (woken !== 'event') {
          for (const gate of gates) {
            if (gate && !gate.isOver) yield* act(gate, woken === 'time' ? gate.judgeNow : gate.release)
          }
          continue
        }
      }
      const step: IteratorResult<Event> = await (pending as Promise<IteratorResult<Event>>)
      pending = undefined
      if (step.done) break
      const event = step.value
      if (!('choice' in event)) {
        if (event.type === 'usage') last.push(event)
        else yield event
        continue
      }
      if (event.type === 'choice-end') ended.add(event.choice)
      const gate = gateOf(event.choice)
      yield* act(gate, () => gate.take(event))
    }
    for (const gate of gates) if (gate && !gate.isOver) yield* act(gate, gate.end)
    while (some((gate) => gate.isBusy)) {
      await alarm.wait(undefined, undefined)
      for (const gate of gates) if (gate && !gate.isOver) yield* act(gate, gate.release)
    }
    // An upstream that has ended all of them has only its usage left to tell; another one stops.
    if (ended.size === options.choices) {
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
