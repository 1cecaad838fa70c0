/** What an expression asks for: each metric with the labels that it is chosen by, and the labels that results are grouped by. */
export type Selectors = {
  readonly metrics: readonly { readonly name: string; readonly labels: readonly string[] }[]
  readonly grouped: readonly string[]
}

const keywords = /^(by|without|on|ignoring|group_left|group_right|and|or|unless|bool|offset|inf|nan)$/i

/** Reads as much of PromQL as names need: strings, durations and calls are passed over. */
export function readSelectors(expression: string): Selectors {
  const grouped: string[] = []
  const metrics: { name: string; labels: string[] }[] = []
  // Strings first, so that nothing in them looks like a name; then ranges, numbers and durations.
  const bare = expression
    .replace(/"(\\.|[^"\\])*"|'(\\.|[^'\\])*'/g, '""')
    .replace(/\[[^\]]*\]/g, '')
    .replace(/\b\d+(\.\d+)?(ms|[smhdwy])?\b/g, '')
  const rest = bare.replace(/\b(by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g, (_, __, labels) => {
    grouped.push(...namesIn(labels))
    return ' '
  })
  for (const found of rest.matchAll(/([a-zA-Z_:][\w:]*)\s*(\(|\{([^}]*)\})?/g)) {
    const [, name = '', after, matchers = ''] = found
    if (after === '(' || keywords.test(name)) continue
    metrics.push({ name, labels: [...matchers.matchAll(/(\w+)\s*(=~|!~|!=|=)/g)].map((match) => match[1] as string) })
  }
  return { metrics, grouped }
}

function namesIn(list: string): string[] {
  return list
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean)
}
