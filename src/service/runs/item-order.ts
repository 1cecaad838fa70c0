import type { ItemRow } from '../../port/tables/runs/port.ts'

/** Ids hold the time behind their prefix: items of a run go in the order in which they were made. */
export function compareItems(a: ItemRow, b: ItemRow): number {
  const [left, right] = [timeOf(a.id), timeOf(b.id)]
  return left < right ? -1 : left > right ? 1 : 0
}

function timeOf(id: string): string {
  return id.slice(id.indexOf('_') + 1)
}
