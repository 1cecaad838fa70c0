import type { Token } from 'node-llama-cpp'

type Detokenize = (tokens: readonly Token[], recent: readonly Token[]) => string

/** Turns tokens into text. A character whose bytes are spread over several tokens comes out with the last of them. */
export type TokenDecoder = {
  push(token: Token): string
  /** What was still waiting, without half a character. */
  end(): string
}

/** A character has at most four bytes; tokens waiting longer than this are not the beginning of one. */
const mostWaiting = 8
const recentTokens = 8

export function createTokenDecoder(detokenize: Detokenize): TokenDecoder {
  let waiting: Token[] = []
  let recent: Token[] = []
  const settle = (text: string): string => {
    recent = [...recent, ...waiting].slice(-recentTokens)
    waiting = []
    return text
  }
  return {
    push(token) {
      waiting.push(token)
      const text = detokenize(waiting, recent)
      return text.endsWith('\ufffd') && waiting.length < mostWaiting ? '' : settle(text)
    },
    end() {
      // What still waits ends in half a character: nothing anybody could read.
      return waiting.length > 0 ? settle(detokenize(waiting, recent)).replace(/\ufffd+$/, '') : ''
    },
  }
}
