import type { CommandContext } from '../context.ts'

/** What a long command is at, on standard error: one line that changes at a terminal, elsewhere a line for each step. */
export type StatusLine = {
  /** A step is what is also worth a line of its own where lines stay. */
  show(text: string, isStep: boolean): void
  /** Leaves nothing of it at a terminal. */
  end(): void
}

export function openStatusLine({ stderr }: Pick<CommandContext, 'stderr'>): StatusLine {
  if (!stderr.isTTY) {
    return {
      show(text, isStep) {
        if (isStep) stderr.write(`${text}\n`)
      },
      end() {},
    }
  }
  let isShown = false
  return {
    show(text) {
      isShown = true
      // A line that breaks would not go away again.
      stderr.write(`\r${text.slice(0, (stderr.columns || 80) - 1)}\x1b[K`)
    },
    end() {
      if (isShown) stderr.write('\r\x1b[K')
      isShown = false
    },
  }
}
