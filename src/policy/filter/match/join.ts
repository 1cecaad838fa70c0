import { type Match, noMatches, type TextMatcher } from './text-matcher.ts'

export type MatcherPart = {
  readonly matcher: TextMatcher
  /** How many patterns it has. */
  readonly size: number
}

/** One matcher of several: the patterns of each part are numbered behind those of the parts before. */
export function joinMatchers(parts: readonly MatcherPart[]): TextMatcher {
  if (parts.length === 1) return (parts[0] as MatcherPart).matcher
  const firsts: number[] = []
  let total = 0
  for (const { size } of parts) {
    firsts.push(total)
    total += size
  }

  function gather(matchesOf: (part: number) => readonly Match[]): readonly Match[] {
    let gathered: Match[] | undefined
    for (let part = 0; part < parts.length; part++) {
      const matches = matchesOf(part)
      if (matches.length === 0) continue
      const first = firsts[part] as number
      gathered ??= []
      for (const { start, end, pattern } of matches) gathered.push({ start, end, pattern: pattern + first })
    }
    return gathered ?? noMatches
  }

  return {
    find: (text) => gather((part) => parts[part]?.matcher.find(text) ?? noMatches),
    open() {
      const streams = parts.map(({ matcher }) => matcher.open())
      let length = 0
      return {
        feed(text) {
          length += text.length
          return gather((part) => streams[part]?.feed(text) ?? noMatches)
        },
        end: () => gather((part) => streams[part]?.end() ?? noMatches),
        get settled() {
          let least = length
          for (const { settled } of streams) least = Math.min(least, settled)
          return least
        },
      }
    },
  }
}
