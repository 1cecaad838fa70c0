export type PartRange = { readonly key: string; readonly start: number; readonly end: number }

/** One part of what is joined: a range that the store can copy by itself, or ranges that are read and written again together. */
export type JoinStep = { readonly isCopy: boolean; readonly ranges: readonly PartRange[] }

export type JoinLimits = {
  /** Of a part, but for the last one. */
  readonly leastBytes: number
  /** Of a part that is copied. */
  readonly mostBytes: number
}

/** How to join blobs of these sizes, in their order, with as little read as there can be. Steps that are read have at most `leastBytes`. */
export function planJoin(
  parts: readonly { readonly key: string; readonly bytes: number }[],
  { leastBytes, mostBytes }: JoinLimits,
): JoinStep[] {
  const steps: JoinStep[] = []
  let read: PartRange[] = []
  let readBytes = 0
  const endStep = (): void => {
    if (read.length > 0) steps.push({ isCopy: false, ranges: read })
    read = []
    readBytes = 0
  }
  for (const { key, bytes } of parts) {
    let start = 0
    while (start < bytes) {
      const isCopy = read.length === 0 && bytes - start >= leastBytes
      const end = Math.min(bytes, start + (isCopy ? mostBytes : leastBytes - readBytes))
      if (isCopy) steps.push({ isCopy, ranges: [{ key, start, end }] })
      else {
        read.push({ key, start, end })
        readBytes += end - start
        if (readBytes === leastBytes) endStep()
      }
      start = end
    }
  }
  endStep()
  return steps
}
