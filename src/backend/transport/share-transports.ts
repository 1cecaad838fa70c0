import type { Timeouts, Transport } from './transport.ts'

type OpenTransport = (origin: URL, timeouts: Timeouts) => Transport

/** Has those who call the same origin with the same timeouts share its connections; they are closed when the last of them has closed. */
export function shareTransports(open: OpenTransport): OpenTransport {
  const shared = new Map<string, { readonly transport: Transport; users: number }>()
  return (origin, timeouts) => {
    const key = JSON.stringify([origin.origin, timeouts])
    const entry = shared.get(key) ?? { transport: open(origin, timeouts), users: 0 }
    shared.set(key, entry)
    entry.users++
    let isClosed = false
    return {
      request: (request, signal) => entry.transport.request(request, signal),
      close() {
        if (isClosed) return
        isClosed = true
        entry.users--
        if (entry.users > 0) return
        shared.delete(key)
        entry.transport.close()
      },
    }
  }
}
