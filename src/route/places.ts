import type { Leave, Places } from '../core/deployment.ts'
import { Fault } from '../core/fault.ts'

export type PlacesOptions = {
  readonly maxWaiting?: number
  readonly maxWaitMs?: number
}

type Waiter = { readonly deployment: string; readonly rank: number; readonly grant: (leave: Leave) => void }

const nothing: Leave = () => {}

export function createPlaces({ maxWaiting = 256, maxWaitMs = 10_000 }: PlacesOptions = {}): Places {
  const line: Waiter[] = []
  const own = new Map<string, number>()
  let shared = 0
  let limit: number | undefined
  let shares: ReadonlyMap<string, number> = new Map()
  let reserved = 0

  function tryTake(deployment: string): Leave | undefined {
    if (limit === undefined) return nothing
    const used = own.get(deployment) ?? 0
    if (used < (shares.get(deployment) ?? 0)) {
      own.set(deployment, used + 1)
      return once(() => own.set(deployment, (own.get(deployment) ?? 1) - 1))
    }
    if (shared >= limit - reserved) return undefined
    shared++
    return once(() => shared--)
  }

  function once(giveBack: () => void): Leave {
    let isBack = false
    return () => {
      if (isBack) return
      isBack = true
      giveBack()
      serve()
    }
  }

  /** Gives what is free to those who wait; one who waits for a share that is full holds nobody up. */
  function serve(): void {
    for (let at = 0; at < line.length; ) {
      const { deployment, grant } = line[at] as Waiter
      const leave = tryTake(deployment)
      if (!leave) at++
      else {
        line.splice(at, 1)
        grant(leave)
      }
    }
  }

  return {
    take(deployment) {
      const mayPass = line.length === 0 || (own.get(deployment) ?? 0) < (shares.get(deployment) ?? 0)
      return mayPass ? tryTake(deployment) : undefined
    },
    wait(deployment, rank, signal) {
      if (line.length >= maxWaiting) return Promise.reject(refuse(maxWaitMs))
      return new Promise((resolve, reject) => {
        const end = (settle: () => void) => {
          clearTimeout(timer)
          signal.removeEventListener('abort', giveUp)
          const at = line.indexOf(waiter)
          if (at !== -1) line.splice(at, 1)
          settle()
        }
        const giveUp = () => end(() => reject(new Fault('client-gone', 'The caller left while its call was waiting.')))
        const waiter: Waiter = { deployment, rank, grant: (leave) => end(() => resolve(leave)) }
        const timer = setTimeout(() => end(() => reject(refuse(maxWaitMs))), maxWaitMs)
        signal.addEventListener('abort', giveUp, { once: true })
        const behind = line.findIndex((other) => other.rank > rank)
        line.splice(behind === -1 ? line.length : behind, 0, waiter)
        if (signal.aborted) giveUp()
        else serve()
      })
    },
    configure(newLimit, newShares) {
      limit = newLimit
      shares = newShares
      reserved = newShares.values().reduce((sum, share) => sum + share, 0)
      serve()
    },
  }
}

function refuse(retryAfterMs: number): Fault {
  const text = 'All calls that the backend of this deployment takes at once are running. Please retry later.'
  return new Fault('rate-limited', text, { retryAfterMs, isRoutine: true })
}
