import type { Timeouts, Transport, UpstreamRequest } from '../../../backend/transport/transport.ts'

export type OpenTransport = (origin: URL, timeouts: Timeouts) => Transport

export type Taken = {
  readonly status: number
  /** How long the receiver wants to be left alone, if he says. */
  readonly retryAfterMs: number | undefined
  /** The beginning of what it said, for whoever looks why it took nothing. */
  readonly said: string
}

export type Sender = {
  /**
   * Posts JSON and resolves to what the receiver said. Redirects are answers like any other. Rejects with the Faults of the transport,
   * whose guard judges the address, and which name the origin alone.
   */
  post(url: string, headers: Readonly<Record<string, string>>, body: string, signal: AbortSignal): Promise<Taken>
  close(): void
}

/** A receiver has to take what comes, and do what he does with it later. */
const timeouts: Timeouts = { connectMs: 10_000, firstByteMs: 15_000, idleMs: 5_000, totalMs: 30_000 }
/** A short text is taken whole, so that the connection can be used again; of it so much is told. */
const mostReadBytes = 16 * 1024
const mostSaidLength = 200

/** Keeps a few connections to each receiver. */
export function createSender(openTransport: OpenTransport, agent: string): Sender {
  const transports = new Map<string, Transport>()

  function transportTo({ origin }: URL): Transport {
    const known = transports.get(origin)
    if (known) return known
    const made = openTransport(new URL(origin), timeouts)
    transports.set(origin, made)
    return made
  }

  return {
    async post(address, headers, body, signal) {
      const url = new URL(address)
      const request: UpstreamRequest = {
        method: 'POST',
        path: url.pathname + url.search,
        headers: { 'content-type': 'application/json', 'user-agent': agent, ...headers },
        body,
      }
      const answer = await transportTo(url).request(request, signal)
      let read = 0
      let said = ''
      try {
        for await (const bytes of answer.body) {
          read += bytes.length
          if (said.length < mostSaidLength) said += Buffer.from(bytes).toString()
          if (read > mostReadBytes) break
        }
      } catch {
        // It has said that it took the message, or that it did not; how the rest ends is all the same.
      }
      const { status, headers: told } = answer
      return { status, retryAfterMs: readSeconds(told['retry-after']), said: toWords(said) }
    },
    close() {
      for (const transport of transports.values()) transport.close()
    },
  }
}

/** On one line, and nothing that a terminal would obey. */
function toWords(text: string): string {
  return text
    .slice(0, mostSaidLength)
    .replaceAll(/[\p{C}\s]+/gu, ' ')
    .trim()
}

function readSeconds(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) * 1000 : undefined
}
