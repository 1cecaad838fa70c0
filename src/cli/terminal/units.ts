/** Numbers as people read them. */

export function formatCount(value: number): string {
  return value.toLocaleString('en-US')
}

/** `812 B`, `1.2 MB`: powers of ten, as file managers count. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`
  const units = ['kB', 'MB', 'GB', 'TB']
  const power = Math.min(units.length, Math.floor(Math.log10(bytes) / 3))
  const value = bytes / 1000 ** power
  return `${value.toFixed(value < 100 ? 1 : 0)} ${units[power - 1]}`
}

/** `40 s`, `2 min 5 s`, `3 h 20 min`, `2 d 1 h`: its two largest units. */
export function formatSpan(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  const units = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const
  const first = units.findIndex(([value]) => value > 0)
  if (first < 0) return '0 s'
  const shown = units.slice(first, first + 2).filter(([value]) => value > 0)
  return shown.map(([value, unit]) => `${value} ${unit}`).join(' ')
}

/** How fast something goes on: over the last while, since what was long ago says little. */
export type Rate = {
  /** So much is done now. */
  note(done: number): void
  /** undefined as long as that cannot be told. */
  perSecond(): number | undefined
}

const windowMs = 30_000
const shortestMs = 500

/** `now` is milliseconds of any clock that only goes on. */
export function createRate(now: () => number): Rate {
  let seen: { readonly at: number; readonly done: number }[] = []
  return {
    note(done) {
      const at = now()
      seen = [...seen.filter((one, index) => at - one.at <= windowMs || index === seen.length - 1), { at, done }]
    },
    perSecond() {
      const [first, last] = [seen[0], seen.at(-1)]
      if (!first || !last || last.at - first.at < shortestMs) return undefined
      return (1000 * (last.done - first.done)) / (last.at - first.at)
    },
  }
}
