/** Nobody judges less at once while a sentence may still go on. */
const leastChars = 20
/** What is judged of a sentence that goes on, at first, so that a reader sees something soon, and later. */
const firstChars = 40
const laterChars = 100
const growth = 1.5
/** What comes faster than the judges answer is judged together, up to this. */
const mostChars = 800
/** Judged again with every window, so that nothing hides at its beginning. */
const overlapChars = 200
/** Of an answer that goes out at once. */
const asynchronousChars = 400
const maxInFlight = 2

/** Judges a window: resolves to where, in the answer's characters, the first thing begins that is kept back. `context` is what came before it. */
export type JudgeWindow = (window: {
  readonly text: string
  /** Where the window begins, in the answer's characters. */
  readonly from: number
  /** How many characters before it are in `text`. */
  readonly context: number
}) => Promise<number | undefined>

export type WindowsOptions = {
  readonly judge: JudgeWindow
  readonly isAsynchronous: boolean
  /** Called whenever a verdict has come. */
  onVerdict(): void
}

/**
 * Cuts a text that grows into windows for those who take their time, by sentences, the next one filling while the last is judged. What
 * comes faster than they judge makes the windows longer.
 */
export type Windows = {
  feed(text: string): void
  /** Judges all that is left, whatever its length. */
  end(): void
  /** Judges what is there now, as if a sentence had ended. */
  judgeNow(): void
  /** Judges all that is there, as `end` does, until more comes. */
  pause(): void
  /** Whether text waits for the end of a sentence, with a judge free to take it. */
  readonly holdsSentence: boolean
  readonly isBusy: boolean
  /** Up to where everything has been judged. */
  readonly settled: number
  readonly cutAt: number | undefined
  /** Why a judge could not: to be thrown by whoever writes the answer. */
  readonly failure: unknown
}

export function openWindows({ judge, isAsynchronous, onVerdict }: WindowsOptions): Windows {
  let text = ''
  let textStart = 0
  let read = 0
  /** Where the next window begins. */
  let from = 0
  let size = isAsynchronous ? asynchronousChars : firstChars
  let isEnded = false
  let isPaused = false
  let cutAt: number | undefined
  let failure: unknown
  const open: { end: number; isDone: boolean }[] = []
  let settled = 0

  function start(to: number): void {
    const context = Math.min(overlapChars, from - textStart)
    const window = { text: text.slice(from - context - textStart, to - textStart), from, context }
    const entry = { end: to, isDone: false }
    open.push(entry)
    from = to
    if (!isAsynchronous) size = Math.min(laterChars, Math.round(size * growth))
    const keepFrom = Math.max(textStart, from - overlapChars)
    text = text.slice(keepFrom - textStart)
    textStart = keepFrom
    judge(window).then(
      (place) => {
        if (place !== undefined) cutAt = Math.min(cutAt ?? place, place)
        finish(entry)
      },
      (error: unknown) => {
        failure ??= error
        finish(entry)
      },
    )
  }

  function finish(entry: { end: number; isDone: boolean }): void {
    entry.isDone = true
    while (open[0]?.isDone) settled = (open.shift() as { end: number }).end
    advance()
    onVerdict()
  }

  function advance(): void {
    while (open.length < maxInFlight) {
      const to = nextEnd()
      if (to === undefined) return
      start(to)
    }
  }

  function nextEnd(): number | undefined {
    const waiting = read - from
    if (waiting === 0) return undefined
    if (isAsynchronous) return waiting >= size || isEnded || isPaused ? from + Math.min(waiting, mostChars) : undefined
    const fresh = text.slice(from - textStart, from - textStart + mostChars)
    const sentence = lastSentenceEnd(fresh)
    if (sentence >= leastChars) return from + sentence
    if (isEnded || isPaused) return from + fresh.length
    return waiting >= size ? from + lastWordEnd(fresh) : undefined
  }

  return {
    feed(more) {
      text += more
      read += more.length
      isPaused = false
      advance()
    },
    end() {
      isEnded = true
      advance()
    },
    pause() {
      isPaused = true
      advance()
    },
    judgeNow() {
      if (open.length < maxInFlight && read > from) start(Math.min(read, from + mostChars))
    },
    get holdsSentence() {
      return !isAsynchronous && open.length < maxInFlight && read > from
    },
    get isBusy() {
      return open.length > 0
    },
    get settled() {
      return settled
    },
    get cutAt() {
      return cutAt
    },
    get failure() {
      return failure
    },
  }
}

/** Behind the last word that has ended, or everything where none has. */
function lastWordEnd(text: string): number {
  const end = Math.max(text.lastIndexOf(' '), text.lastIndexOf('\n')) + 1
  return end > 0 ? end : text.length
}

const sentenceEnd = /[.!?…。！？]["')\]]?(?=\s|$)|\n/g

/** Behind the last sentence that ends in the text, or 0. */
function lastSentenceEnd(text: string): number {
  let end = 0
  for (const match of text.matchAll(sentenceEnd)) end = match.index + match[0].length
  return end
}
