/** The names closest to `wanted` by edit distance or shared beginning, without regard to case; at most `limit`, nearest first. */
export function nearestNames(wanted: string, names: Iterable<string>, limit = 3): string[] {
  const target = wanted.toLowerCase()
  const allowed = Math.max(2, Math.floor(target.length / 3))
  const scored: { name: string; distance: number }[] = []
  for (const name of names) {
    const candidate = name.toLowerCase()
    const isPrefix = target.length >= 3 && (candidate.startsWith(target) || target.startsWith(candidate))
    if (!isPrefix && Math.abs(candidate.length - target.length) > allowed) continue
    const distance = isPrefix ? 1 : editDistance(target, candidate)
    if (distance <= allowed) scored.push({ name, distance })
  }
  scored.sort((a, b) => a.distance - b.distance || a.name.localeCompare(b.name))
  return scored.slice(0, limit).map(({ name }) => name)
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      row[j] = Math.min(substitution, (previous[j] as number) + 1, (row[j - 1] as number) + 1)
    }
    previous = row
  }
  return previous[b.length] as number
}
