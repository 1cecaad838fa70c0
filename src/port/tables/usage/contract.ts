import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { TablesFixture } from '../contract.ts'
import { noUsage, type UsageCounts, type UsageGroup, type UsageRow, type UsageTable } from './port.ts'

function make(more: Partial<UsageRow>): UsageRow {
  return { ...noUsage, hour: 500_000, deployment: 'gpt', model: 'gpt-4o', keyName: 'key1', requests: 1, ...more }
}

/** What every adapter does with usage. `open` makes an empty store. */
export function describeUsageContract(adapter: string, open: () => Promise<TablesFixture>): void {
  describe(`tables port, usage: ${adapter}`, () => {
    let fixture: TablesFixture
    let table: UsageTable
    const all = { fromHour: 0, toHour: 1e9 }

    beforeEach(async () => {
      fixture = await open()
      table = fixture.tables.usage
    })
    afterEach(() => fixture.remove())

    test('begins empty', async () => {
      await table.add([])
      expect(await table.read({ ...all, groupBy: [] })).toEqual([])
      expect(await table.read({ ...all, groupBy: ['hour'] })).toEqual([])
    })

    test('adds to what is there', async () => {
      const counts: UsageCounts = {
        requests: 2,
        failed: 1,
        refused: 1,
        estimated: 1,
        promptTokens: 1e12,
        cachedTokens: 3,
        completionTokens: 5,
        reasoningTokens: 2,
        costMicros: 7,
      }
      await table.add([make(counts)])
      await table.add([make(counts), make({ ...counts, keyName: 'other' })])
      const [own] = await table.read({ ...all, keyName: 'KEY1', groupBy: [] })
      expect(own).toEqual(
        Object.fromEntries(Object.entries(counts).map(([name, value]) => [name, 2 * value])) as UsageCounts,
      )
    })

    test('sums by what is asked for, in its order', async () => {
      await table.add([
        make({ hour: 10, deployment: 'b', promptTokens: 1 }),
        make({ hour: 10, deployment: 'a', promptTokens: 2 }),
        make({ hour: 11, deployment: 'a', keyName: 'ci', model: 'other', promptTokens: 4 }),
        make({ hour: 12, deployment: 'a', promptTokens: 8 }),
      ])
      const read = async (...groupBy: UsageGroup[]) =>
        (await table.read({ fromHour: 10, toHour: 12, groupBy })).map((row) => [
          ...groupBy.map((group) => row[group]),
          row.promptTokens,
        ])
      expect(await read()).toEqual([[7]])
      expect(await read('hour')).toEqual([
        [10, 3],
        [11, 4],
      ])
      expect(await read('deployment', 'hour')).toEqual([
        ['a', 10, 2],
        ['a', 11, 4],
        ['b', 10, 1],
      ])
      expect(await read('keyName', 'model')).toEqual([
        ['ci', 'other', 4],
        ['key1', 'gpt-4o', 3],
      ])
      expect(await table.read({ ...all, deployment: 'B', groupBy: ['deployment'] })).toHaveLength(1)
    })

    test('sums by the day, of any time of it', async () => {
      await table.add([47, 48, 60, 71, 72].map((hour, i) => make({ hour, promptTokens: 2 ** i })))
      const days = await table.read({ ...all, groupBy: ['day', 'deployment'] })
      expect(days.map(({ day, deployment, promptTokens }) => [day, deployment, promptTokens])).toEqual([
        [1, 'gpt', 1],
        [2, 'gpt', 2 + 4 + 8],
        [3, 'gpt', 16],
      ])
    })

    test('gives no more rows than are wanted, the first ones', async () => {
      await table.add([3, 1, 2].map((hour) => make({ hour })))
      const rows = await table.read({ ...all, groupBy: ['hour'], limit: 2 })
      expect(rows.map(({ hour }) => hour)).toEqual([1, 2])
    })

    test('many rows at once', async () => {
      await table.add(Array.from({ length: 1_000 }, (_, i) => make({ deployment: `d${i}` })))
      expect(await table.read({ ...all, groupBy: [] })).toMatchObject([{ requests: 1_000 }])
    })

    test('is there after reopening', async () => {
      await table.add([make({ promptTokens: 3 })])
      table = (await fixture.reopen()).usage
      expect(await table.read({ ...all, groupBy: ['keyName'] })).toEqual([
        { ...noUsage, keyName: 'key1', requests: 1, promptTokens: 3 },
      ])
    })
  })
}
