const entities: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

/** The inside of every element of that name, as it stands. Enough for the flat lists of stores, where none holds one of its own name. */
export function elementsOf(xml: string, name: string): string[] {
  return Array.from(
    xml.matchAll(new RegExp(`<${name}(?:\\s[^>]*)?>([\\s\\S]*?)</${name}>`, 'g')),
    ([, inside]) => inside as string,
  )
}

/** The text of the first element of that name. */
export function textOf(xml: string, name: string): string | undefined {
  const [inside] = elementsOf(xml, name)
  return inside?.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, entity) => {
    if (entity !== undefined) return entities[entity] ?? whole
    const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
    return point <= 0x10ffff ? String.fromCodePoint(point) : whole
  })
}

/** A word out of a text of theirs: what else could stand there is not for the log. */
export function wordOf(xml: string, name: string): string | undefined {
  const text = textOf(xml, name)
  return text !== undefined && /^[\w.-]{1,80}$/.test(text) ? text : undefined
}
