import { noUsage, type UsageCounts, type UsageRow } from '../../port/tables/usage/port.ts'

export type Counts = { -readonly [Name in keyof UsageCounts]: UsageCounts[Name] }
export type Place = Pick<UsageRow, 'hour' | 'resource' | 'deployment' | 'model' | 'keyName'>

/** What was used and is not stored yet: a row for each hour, deployment, model and key. Bounded. */
export type Ledger = {
  /** The counts of a place, to be added to. */
  open(place: Place): Counts
  /** Takes everything out. */
  take(): UsageRow[]
  /** Puts back what could not be stored; it joins what has come meanwhile. */
  putBack(rows: readonly UsageRow[]): void
  rows(): UsageRow[]
  readonly size: number
  /** How often there was no room for a row of its own. */
  readonly folded: number
}

/** The key under which usage is kept where there is no room for more keys. */
export const otherKeys = '(other keys)'
const otherDeployments = '(other deployments)'

/** `maxRows` is when rows begin to be put together: of one deployment first, then of all. */
export function createLedger(maxRows: number): Ledger {
  let entries = new Map<string, { readonly place: Place; readonly counts: Counts }>()
  let folded = 0

  function open(place: Place): Counts {
    const key = keyOf(place)
    const known = entries.get(key)
    if (known) return known.counts
    if (entries.size >= maxRows && place.keyName !== otherKeys) {
      folded++
      return open({ ...place, keyName: otherKeys })
    }
    if (entries.size >= maxRows * 2 && place.deployment !== otherDeployments) {
      return open({ ...place, deployment: otherDeployments, model: otherDeployments })
    }
    const counts = { ...noUsage }
    entries.set(key, { place, counts })
    return counts
  }

  function rows(): UsageRow[] {
    return [...entries.values()].map(({ place, counts }) => ({ ...place, ...counts }))
  }

  return {
    open,
    rows,
    take() {
      const taken = rows()
      entries = new Map()
      return taken
    },
    putBack(back) {
      for (const row of back) {
        const counts = open(row)
        for (const name of Object.keys(noUsage) as (keyof Counts)[]) counts[name] += row[name]
      }
    },
    get size() {
      return entries.size
    },
    get folded() {
      return folded
    },
  }
}

function keyOf({ hour, resource, deployment, model, keyName }: Place): string {
  return `${hour}\n${resource}\n${deployment}\n${model}\n${keyName}`
}
