import type { Event } from '../../core/event.ts'

/** How many events, and for how many milliseconds, may wait to go out together: a message costs more than a token. */
const mostEvents = 8
const longestWaitMs = 4

/** Gathers the events of a call into few messages; neighbouring texts of a choice become one event. */
export type Outbox = { push(event: Event): void; flush(): void }

export function createOutbox(send: (events: Event[]) => void): Outbox {
  let waiting: Event[] = []
  let pushed = 0
  let timer: NodeJS.Timeout | undefined
  const flush = (): void => {
    clearTimeout(timer)
    timer = undefined
    pushed = 0
    if (waiting.length === 0) return
    const events = waiting
    waiting = []
    send(events)
  }
  return {
    push(event) {
      append(waiting, event)
      pushed++
      if (pushed >= mostEvents) flush()
      else timer ??= setTimeout(flush, longestWaitMs)
    },
    flush,
  }
}

function append(events: Event[], event: Event): void {
  const last = events.at(-1)
  const canJoin =
    last?.type === 'text-delta' &&
    event.type === 'text-delta' &&
    last.choice === event.choice &&
    !last.logprobs &&
    !event.logprobs
  if (canJoin) events[events.length - 1] = { ...last, text: last.text + event.text }
  else events.push(event)
}
