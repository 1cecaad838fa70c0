import type { EndListener } from '../../core/exchange.ts'
import type { Policy } from '../../policy/pipeline.ts'

/** After the last call work that can wait still holds back for so long: callers come in bursts. */
const afterMs = 100

/** How many callers are being answered, for work that keeps out of their way: it shares the processor with all of them. */
export type LiveLoad = {
  readonly policy: Policy
  readonly listener: EndListener
  count(): number
}

export function createLiveLoad(now: () => number): LiveLoad {
  let running = 0
  let lastAt = Number.NEGATIVE_INFINITY
  return {
    policy(exchange, next) {
      running++
      return next(exchange)
    },
    listener() {
      running--
      lastAt = now()
    },
    count: () => (running > 0 ? running : now() - lastAt < afterMs ? 1 : 0),
  }
}
