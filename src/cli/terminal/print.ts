import type { CommandContext } from '../context.ts'

export type Column<Row> = {
  readonly title: string
  readonly read: (row: Row) => string
  /** Left out when no row has a text in it. */
  readonly isOptional?: boolean
}

/** Prints a list: as columns, or the values themselves as JSON or YAML. */
export async function printList<Row>(
  context: CommandContext,
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  whenEmpty: string,
): Promise<void> {
  if (await printData(context, rows)) return
  printRows(context, rows, columns, whenEmpty)
}

/** A table among other things that are printed for people. */
export function printRows<Row>(
  context: CommandContext,
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  whenEmpty: string,
): void {
  context.stdout.write(rows.length === 0 ? `${whenEmpty}\n` : renderTable(context, rows, columns))
}

/** Prints one thing: as labelled lines, or the value itself as JSON or YAML. */
export async function printFacts(
  context: CommandContext,
  value: unknown,
  facts: readonly (readonly [label: string, text: string])[],
): Promise<void> {
  if (await printData(context, value)) return
  const width = Math.max(...facts.map(([label]) => label.length))
  for (const [label, text] of facts) context.stdout.write(`${dim(context, label.padEnd(width))}  ${text}\n`)
}

/** Whether the value was printed, since a data format is wanted. */
export async function printData(context: CommandContext, value: unknown): Promise<boolean> {
  switch (context.format()) {
    case 'json':
      context.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
      return true
    case 'yaml':
      context.stdout.write((await import('yaml')).stringify(value))
      return true
    default:
      return false
  }
}

/** A table as text; its last line is ended. */
export function renderTable<Row>(context: CommandContext, rows: readonly Row[], all: readonly Column<Row>[]): string {
  const columns = all.filter(({ isOptional, read }) => !isOptional || rows.some((row) => read(row) !== ''))
  const cells = rows.map((row) => columns.map((column) => column.read(row)))
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...cells.map((line) => (line[index] ?? '').length)),
  )
  const layOut = (line: readonly string[]) =>
    line
      .map((text, index) => text.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd()
  const head = layOut(columns.map(({ title }) => title.toUpperCase()))
  return `${[dim(context, head), ...cells.map(layOut)].join('\n')}\n`
}

export function dim(context: CommandContext, text: string): string {
  return context.isColored() ? `\x1b[2m${text}\x1b[22m` : text
}

/** Local time, to the minute. */
export function formatTime(iso: string): string {
  const date = new Date(iso)
  if (Number.isNaN(date.getTime())) return iso
  const two = (number: number) => String(number).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`
}
