/** What RFC 3986 leaves unreserved stays, as signatures want it. */
export function encodeStrictly(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

/** A query with its parameters in the order of their encoded names; empty where there are none. */
export function encodeQuery(query: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(query).map(([name, value]) => [encodeStrictly(name), encodeStrictly(value)] as const)
  pairs.sort(([a], [b]) => (a < b ? -1 : 1))
  return pairs.map(([name, value]) => `${name}=${value}`).join('&')
}
