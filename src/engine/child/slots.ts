import type { LlamaContext, LlamaContextSequence, Token } from 'node-llama-cpp'

/** A sequence of the model's context, lent to one answer at a time. */
export type Slot = {
  readonly sequence: LlamaContextSequence
  /** Gives the sequence back with what it has evaluated, for the next prompt that begins alike. */
  release(): void
}

export type Slots = {
  /** The free sequence best suited for a prompt; waits in line when none is free. Rejects when aborted. */
  acquire(tokens: readonly Token[], signal: AbortSignal): Promise<Slot>
}

/** Share of a prompt that must be cached already for a sequence to be taken for it. */
const worthwhileShare = 0.5

type Waiter = { readonly tokens: readonly Token[]; readonly grant: (slot: Slot) => void }

export function createSlots(context: LlamaContext): Slots {
  const throwOnShift = { strategy: () => Promise.reject(new Error('the context is full')) }
  // Least recently used first.
  const free = Array.from({ length: context.totalSequences }, () => context.getSequence({ contextShift: throwOnShift }))
  const waiters: Waiter[] = []

  const lend = (tokens: readonly Token[]): Slot => {
    const sequence = takeBest(free, tokens)
    let isLent = true
    return {
      sequence,
      release() {
        if (!isLent) return
        isLent = false
        free.push(sequence)
        const next = waiters.shift()
        if (next) next.grant(lend(next.tokens))
      },
    }
  }

  return {
    acquire(tokens, signal) {
      signal.throwIfAborted()
      if (free.length > 0) return Promise.resolve(lend(tokens))
      return new Promise((resolve, reject) => {
        const abort = () => {
          waiters.splice(waiters.indexOf(waiter), 1)
          reject(signal.reason)
        }
        const waiter: Waiter = {
          tokens,
          grant(slot) {
            signal.removeEventListener('abort', abort)
            resolve(slot)
          },
        }
        signal.addEventListener('abort', abort, { once: true })
        waiters.push(waiter)
      })
    },
  }
}

/**
 * The sequence that has most of the prompt already. One that shares little is not worth losing its cache for (all chats begin
 * alike): then it is the one unused for longest.
 */
function takeBest(free: LlamaContextSequence[], tokens: readonly Token[]): LlamaContextSequence {
  let best = 0
  let longest = Math.max(1, tokens.length * worthwhileShare)
  free.forEach((sequence, index) => {
    const shared = sequence.compareContextTokens(tokens as Token[]).firstDifferentIndex
    if (shared < longest) return
    longest = shared
    best = index
  })
  return free.splice(best, 1)[0] as LlamaContextSequence
}
