import type { CommandContext } from '../context.ts'

/** How far a long command is, on standard error: a line that changes at a terminal, elsewhere one for each tenth. */
export type Progress = {
  /** `done` of the total are done now. */
  show(done: number): void
  /** Leaves nothing of it at a terminal. */
  end(): void
}

/** `noun` in the plural: `lines`. What is done in one go is not worth a word. */
export function openProgress({ stderr }: CommandContext, noun: string, total: number): Progress {
  let tenths = 0
  const describe = (done: number) => `${count(done)} of ${count(total)} ${noun}`
  if (stderr.isTTY) {
    return {
      show: (done) => void stderr.write(`\r${describe(done)}\x1b[K`),
      end: () => void stderr.write('\r\x1b[K'),
    }
  }
  return {
    show(done) {
      const reached = Math.floor((10 * done) / total)
      const isAtOnce = tenths === 0 && done >= total
      if (reached > tenths && !isAtOnce) stderr.write(`${describe(done)}\n`)
      tenths = reached
    },
    end() {},
  }
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}
