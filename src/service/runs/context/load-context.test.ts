import { describe, expect, test } from 'bun:test'
import type { JsonObject } from '../../../core/json.ts'
import type { ItemRow, RunRow } from '../../../port/tables/runs/port.ts'
import { createMemoryRuns } from '../memory-runs.fixture.ts'
import { loadContext } from './load-context.ts'
import { writeInput } from './write-input.ts'

const owner = 'tester'
const run: RunRow = {
  id: 'run_9',
  owner,
  kind: 'run',
  threadId: 'thread_1',
  status: 'in_progress',
  request: {},
  state: {},
  metadata: {},
  createdAt: 1,
}

function item(number: number, document: JsonObject, more: Partial<ItemRow> = {}): ItemRow {
  const type = String(document.type)
  return {
    id: `${type === 'message' ? 'msg' : 'fc'}_${String(number).padStart(6, '0')}`,
    owner,
    homeId: 'thread_1',
    isInput: false,
    type,
    status: 'completed',
    document,
    extras: {},
    createdAt: number,
    ...more,
  }
}
const message = (number: number, text: string, more?: Partial<ItemRow>): ItemRow =>
  item(number, { type: 'message', role: 'user', content: [{ type: 'input_text', text }] }, more)
const call = (number: number, callId: string, stepId: string): ItemRow =>
  item(number, { type: 'function_call', call_id: callId, name: 'add', arguments: '{}' }, { stepId })
const output = (number: number, callId: string): ItemRow =>
  item(number, { type: 'function_call_output', call_id: callId, output: callId }, { isInput: true })

describe('what came before a run', () => {
  async function load(items: readonly ItemRow[], bounds: { tokens?: number; items?: number }, of: RunRow = run) {
    const { table } = createMemoryRuns(Date.now)
    await table.addItems(items)
    return loadContext(table, of, [], { tokens: Number.POSITIVE_INFINITY, items: 1_000, ...bounds })
  }
  const many = Array.from({ length: 450 }, (_, i) => message(i, `message ${i}`))

  test('is read over pages, oldest first', async () => {
    const { items, isWhole } = await load(many, {})
    expect(items.map(({ createdAt }) => createdAt)).toEqual(many.map(({ createdAt }) => createdAt))
    expect(isWhole).toBe(true)
  })

  test('is the newest that fits', async () => {
    const { items, isWhole, tokens } = await load(many, { tokens: 100 })
    expect(items.at(-1)?.createdAt).toBe(449)
    expect(items.length).toBeGreaterThan(5)
    expect(tokens).toBeLessThanOrEqual(100)
    expect(isWhole).toBe(false)
    expect((await load(many, { items: 3 })).items.map(({ createdAt }) => createdAt)).toEqual([447, 448, 449])
  })

  test('is one message at least, whatever its length', async () => {
    expect((await load([message(1, 'a'), message(2, 'b'.repeat(10_000))], { tokens: 10 })).items.length).toBe(1)
  })

  test('does not read a long thread to its beginning', async () => {
    const { table } = createMemoryRuns(Date.now)
    await table.addItems(Array.from({ length: 3_000 }, (_, i) => message(i, `message ${i}`)))
    let rows = 0
    const counted = {
      ...table,
      async listItems(...given: Parameters<typeof table.listItems>) {
        const page = await table.listItems(...given)
        rows += page.length
        return page
      },
    }
    await loadContext(counted, run, [], { tokens: 2_000, items: 1_000 })
    expect(rows).toBeLessThan(500)
  })

  test('leaves out what the run itself has made, and steps of others', async () => {
    const items = [
      message(1, 'a'),
      call(2, 'c', 's'),
      message(3, 'mine', { runId: run.id }),
      message(4, 'more', { runId: run.id, isInput: true }),
    ]
    expect((await load(items, {})).items.map(({ createdAt }) => createdAt)).toEqual([1, 4])
  })
})

describe('items as the model is told of them', () => {
  const types = (items: readonly ItemRow[], drops = false): string[] =>
    writeInput(items, drops).map(({ type, call_id: id, output: text }) => [type, id, text].filter(Boolean).join(' '))

  test('outputs come behind the calls of their step, wherever they lie', () => {
    expect(
      types([
        call(1, 'a', 's1'),
        call(2, 'b', 's1'),
        call(3, 'c', 's2'),
        output(4, 'b'),
        output(5, 'c'),
        output(6, 'a'),
      ]),
    ).toEqual([
      'function_call a',
      'function_call b',
      'function_call_output a a',
      'function_call_output b b',
      'function_call c',
      'function_call_output c c',
    ])
  })

  test('an output whose call was cut off is left out; a call without output where that may be', () => {
    expect(types([output(1, 'gone'), call(2, 'a', 's1'), message(3, 'x')], true)).toEqual(['message'])
    expect(types([call(2, 'a', 's1')], false)).toEqual(['function_call a'])
  })

  test('a call of ours is the call and the output it was', () => {
    const asked = { call_id: 'k', name: 'look_up', arguments: '{}', output: 'found' }
    const search = item(1, { type: 'file_search_call', queries: [] }, { extras: { call: asked } })
    expect(writeInput([search], false)).toEqual([
      { type: 'function_call', call_id: 'k', name: 'look_up', arguments: '{}' },
      { type: 'function_call_output', call_id: 'k', output: 'found' },
    ])
    const { output: _, ...unfinished } = asked
    expect(writeInput([{ ...search, extras: { call: unfinished } }], false)).toEqual([])
  })

  test('thoughts only where they are sealed, and with the id they had upstream', () => {
    const thought = item(1, { type: 'reasoning', summary: [] })
    expect(writeInput([thought], false)).toEqual([])
    const sealed = {
      ...thought,
      document: { ...thought.document, encrypted_content: 'x' },
      extras: { upstream_id: 'rs_up' },
    }
    expect(writeInput([sealed], false)).toEqual([
      { type: 'reasoning', summary: [], encrypted_content: 'x', id: 'rs_up' },
    ])
  })
})
