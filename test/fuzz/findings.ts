import type { Complaint } from './oracle.ts'

export type Finding = Complaint & {
  /** How to see it again. */
  readonly reproduce: string
  readonly input: string
}

type Described = Pick<Finding, 'detail' | 'reproduce' | 'input'>

export type Findings = {
  readonly list: readonly (Finding & { readonly count: number })[]
  /** Counts it; true for the first of its name, which is to be described. */
  note(name: string): boolean
  describe(name: string, described: Described): void
}

/** One entry for each name: a thousand answers with the same fault are one finding. */
export function createFindings(): Findings {
  const byName = new Map<string, Described & { count: number }>()
  return {
    get list() {
      return [...byName].map(([name, finding]) => ({ name, ...finding }))
    },
    note(name) {
      const known = byName.get(name)
      if (known) known.count++
      else byName.set(name, { detail: '', reproduce: '', input: '', count: 1 })
      return known === undefined
    },
    describe(name, described) {
      byName.set(name, { count: 1, ...byName.get(name), ...described })
    },
  }
}

const shownBytes = 3000

/** Bytes as text that can be read: what is not printable is escaped. */
export function showBytes(bytes: Buffer): string {
  const text = bytes
    .subarray(0, shownBytes)
    .toString('latin1')
    .replace(/[^\x20-\x7e\n]/g, (letter) =>
      letter === '\r' ? '\\r' : `\\x${letter.charCodeAt(0).toString(16).padStart(2, '0')}`,
    )
  return bytes.length > shownBytes ? `${text}... (${bytes.length} bytes)` : text
}

export function formatFinding({ name, detail, reproduce, input, count }: Finding & { count: number }): string {
  const indent = (text: string): string => text.replace(/^/gm, '    ')
  return `FINDING ${name} (${count} times)\n  reproduce: ${reproduce}\n  input:\n${indent(input)}\n  seen:\n${indent(detail)}\n`
}
