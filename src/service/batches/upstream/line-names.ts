import type { NativeBatches } from '../../../core/reply.ts'
import type { NewLine, WaitingKeys } from '../../../port/tables/batches/port.ts'

/** What lines are called upstream: by their custom ids where those may be any text, else by the tag of the order and their number. */
export type LineNames = {
  nameOf(line: NewLine): string
  /** Where to look for lines of these names; names that we cannot have given are left out. */
  keysOf(names: Iterable<string>): WaitingKeys
}

export function createLineNames({ keepsCustomIds }: Pick<NativeBatches, 'keepsCustomIds'>, tag: string): LineNames {
  if (keepsCustomIds) {
    return {
      nameOf: ({ customId }) => customId,
      keysOf: (names) => ({ customIds: [...names].filter((name) => !/\p{C}/u.test(name)) }),
    }
  }
  const prefix = `${tag}-`
  return {
    nameOf: ({ line }) => prefix + line,
    keysOf(names) {
      const lines: number[] = []
      for (const name of names) {
        const number = name.startsWith(prefix) ? name.slice(prefix.length) : ''
        if (/^[1-9]\d{0,8}$/.test(number)) lines.push(Number(number))
      }
      return { lines }
    },
  }
}
