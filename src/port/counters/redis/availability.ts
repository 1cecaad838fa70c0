/** Whether the store may be asked, and how it comes back. */
export type Availability = {
  isUp(): boolean
  /** Undefined while the store answers. */
  reason(): string | undefined
  /** Settles when the first attempt to reach the store has succeeded or failed. */
  readonly firstOutcome: Promise<void>
  /** Stops asking the store, for a reason that is safe to show. */
  trip(reason: string): void
  /** Tries to come back; one attempt at a time. */
  attempt(): Promise<void>
}

export type AvailabilityOptions = {
  /** Asks the store what has to be known before it may decide again; rejects when it does not answer. */
  greet(): Promise<void>
  onAway(reason: string): void
  /** The store may be asked again, or for the first time. */
  onUp(wasAway: boolean): void
}

export function createAvailability({ greet, onAway, onUp }: AvailabilityOptions): Availability {
  let isUp = false
  let reason: string | undefined
  let underway: Promise<void> | undefined
  let settleFirst = (): void => {}
  const firstOutcome = new Promise<void>((done) => {
    settleFirst = done
  })
  // A trip during an attempt makes what that attempt learned worthless.
  let trips = 0

  async function greetOnce(): Promise<void> {
    const tripsBefore = trips
    try {
      await greet()
      if (trips !== tripsBefore) return
      const wasAway = reason !== undefined
      isUp = true
      reason = undefined
      settleFirst()
      onUp(wasAway)
    } catch (error) {
      trip((error as Error).message)
    }
  }

  function trip(why: string): void {
    trips += 1
    settleFirst()
    const isNews = reason === undefined
    isUp = false
    reason = why
    if (isNews) onAway(why)
  }

  return {
    isUp: () => isUp,
    reason: () => reason,
    firstOutcome,
    trip,
    attempt() {
      underway ??= greetOnce().finally(() => {
        underway = undefined
      })
      return underway
    },
  }
}
