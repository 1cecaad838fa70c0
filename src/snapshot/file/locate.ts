import { type Document, isAlias, isMap, isNode, isScalar, isSeq, type Node, visit } from 'yaml'

/**
 * Where in the text a path of the document lies, as an offset: a value that is plain at the value, a list or map at its key. What is
 * missing lies at what should have it. Aliases are followed.
 */
export function findOffset(document: Document, path: readonly PropertyKey[]): number {
  let node: Node | null = follow(document, document.contents)
  let offset = offsetOf(node) ?? 0
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part))
      if (!pair) return offset
      offset = offsetOf(pair.key) ?? offset
      node = follow(document, pair.value)
      offset = isMap(node) || isSeq(node) ? offset : (offsetOf(node) ?? offset)
    } else if (isSeq(node)) {
      const item = node.items[Number(part)]
      offset = offsetOf(item) ?? offset
      node = follow(document, item)
    } else {
      return offset
    }
  }
  return offset
}

/** The offset of the first alias that names no anchor before it. */
export function findUnresolvedAlias(document: Document): number | undefined {
  let offset: number | undefined
  visit(document, {
    Alias(_key, node) {
      if (node.resolve(document)) return undefined
      offset = offsetOf(node)
      return visit.BREAK
    },
  })
  return offset
}

function follow(document: Document, value: unknown): Node | null {
  if (isAlias(value)) return value.resolve(document) ?? null
  return isNode(value) ? value : null
}

function offsetOf(value: unknown): number | undefined {
  return isNode(value) ? value.range?.[0] : undefined
}
