import { expect, test } from 'bun:test'
import { addEntry, allocateCounterMemory, findEntry, viewCounterMemory } from './table.ts'

test('both halves of a key tell entries apart', () => {
  const table = viewCounterMemory(allocateCounterMemory(8, 0))
  const keys = [
    [5, 1],
    [5, 2],
    [13, 1],
    [0, 7],
    [-3, 7],
  ] as const
  const places = keys.map(([low, high]) => addEntry(table, low, high, () => false))
  expect(new Set(places).size).toBe(5)
  expect(keys.map(([low, high]) => findEntry(table, low, high))).toEqual(places)
  expect(findEntry(table, 5, 3)).toBe(-1)
})

test('the number of places is a power of two', () => {
  for (const slots of [0, 3, 1.5, -4]) expect(() => allocateCounterMemory(slots, 0)).toThrow(RangeError)
  expect(viewCounterMemory(allocateCounterMemory(1, 0)).slots).toBe(1)
})
