import type { CommandContext } from '../../context.ts'
import { openStatusLine } from '../../terminal/status-line.ts'
import { createRate, formatBytes } from '../../terminal/units.ts'

const redrawMs = 100
/** What is over sooner is not worth a word. */
const quietMs = 500

/**
 * The same bytes, and on standard error how many of them have passed, how many there are and how fast it goes. `total` is bytes, if it is
 * known.
 */
export async function* showTransfer(
  context: Pick<CommandContext, 'stderr'>,
  what: string,
  total: number | undefined,
  pieces: AsyncIterable<Uint8Array>,
  now: () => number = performance.now.bind(performance),
): AsyncGenerator<Uint8Array, undefined> {
  const line = openStatusLine(context)
  const rate = createRate(now)
  let done = 0
  let tenths = 0
  let shownAt = now() + quietMs - redrawMs
  rate.note(0)
  try {
    for await (const bytes of pieces) {
      yield bytes
      done += bytes.length
      if (now() - shownAt < redrawMs) continue
      shownAt = now()
      rate.note(done)
      const reached = total ? Math.floor((10 * done) / total) : 0
      line.show(describe(what, done, total, rate.perSecond()), reached > tenths)
      tenths = reached
    }
  } finally {
    line.end()
  }
}

function describe(what: string, done: number, total: number | undefined, perSecond: number | undefined): string {
  const share = total === undefined ? formatBytes(done) : `${formatBytes(done)} of ${formatBytes(total)}`
  return perSecond === undefined ? `${what}: ${share}` : `${what}: ${share}, ${formatBytes(perSecond)}/s`
}
