import { expect, test } from 'bun:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Event } from '../../core/event.ts'
import type { ItemRow, RunEventRow } from '../../port/tables/runs/port.ts'
import { besideOf } from './kept-beside.ts'
import { callTools, createLookUp, createModel, createTestRuns, owner, say } from './runs.fixture.ts'

/**
 * Servers die at random while a run is under way, and others go on with it when the lease has run out. Whatever the point was: the run ends,
 * its thread is free, what a tool has found is not looked up again, and what callers are told has no number twice.
 */

const add = { type: 'function', name: 'add', parameters: { type: 'object', properties: {} }, strict: false }

async function* slowly(text: string): AsyncGenerator<Event> {
  for (const event of say(text)) {
    await sleep(1)
    yield event
  }
}

test('servers that die at random', async () => {
  let kills = 0
  let partial = 0
  for (let round = 0; round < 60; round++) {
    /** How often a lookup was done and its outcome written. */
    const lookUp = createLookUp(() => sleep(2).then(() => ({})))
    const model = createModel(({ messages }) => {
      const outputs = messages.filter(({ role }) => role === 'tool').length
      if (outputs === 0) return callTools(['look_up', '{"n":1}'], ['look_up', '{"n":2}'])
      if (outputs === 2) return callTools(['look_up', '{"n":3}'], ['add', '{}'])
      return slowly('All of it is there now.')
    })
    const parts = { ask: model, tools: new Map([['file_search', lookUp]]) }
    const t = createTestRuns(parts, { leaseMs: 200 })
    await t.stop()
    const servers = [t.another(parts)]
    const run = t.newRun({ request: { tools: [{ type: 'file_search' }, add] } })
    const { id } = run.run
    let isSubmitted = false
    await servers[0]?.runs.engine.start(run)
    for (let deaths = 0; deaths < 4; ) {
      const server = servers.at(-1) as (typeof servers)[number]
      const status = t.get(id).status
      if (status === 'requires_action' && !isSubmitted) {
        const [call] = t.made(id).filter(({ type }) => type === 'function_call')
        await server.runs.engine.submit(owner, id, new Map([[String(call?.document.call_id), '3']]))
        isSubmitted = true
      }
      if (status === 'completed') break
      await sleep(Math.random() * 12)
      server.kill()
      kills++
      deaths++
      const before = written(t.made(id))
      // The lease of the dead one runs out.
      t.skip(250)
      servers.push(t.another(parts))
      await sleep(3)
      const after = t.made(id)
      for (const [item, text] of before) expect(written(after).get(item)).toBe(text)
    }
    const last = servers.at(-1) as (typeof servers)[number]
    const end = Date.now() + 5_000
    for (;;) {
      const { status } = t.get(id)
      if (status === 'requires_action') {
        const [call] = t.made(id).filter(({ type }) => type === 'function_call')
        await last.runs.engine.submit(owner, id, new Map([[String(call?.document.call_id), '3']]))
      } else if (status === 'completed' || Date.now() > end) break
      await sleep(2)
    }
    expect(t.get(id).status).toBe('completed')
    const made = t.made(id)
    // Each lookup and each output once, as the model was told of them.
    expect(
      made.filter(({ type }) => type === 'file_search_call').map((item) => besideOf(item).call?.arguments),
    ).toEqual(['{"n":1}', '{"n":2}', '{"n":3}'])
    const outputs = [...t.rows.items.values()].filter(
      (item) => item.runId === id && item.type === 'function_call_output',
    )
    expect(outputs.length).toBe(1)
    const messages = made.filter(({ type }) => type === 'message')
    expect(messages.at(-1)?.status).toBe('completed')
    for (const message of messages.slice(0, -1)) {
      expect(message.status).toBe('incomplete')
      expect(besideOf(message).incomplete_details).toEqual({ reason: 'run_failed' })
      partial++
    }
    expect(made.every(({ status }) => status !== 'in_progress')).toBe(true)
    expectInOrder(t.rows.events.get(id) ?? [])
    // Nobody holds the thread.
    const next = t.newRun()
    await last.runs.engine.start(next)
    await last.runs.engine.cancel(owner, next.run.id).catch(() => {})
    await Promise.all(servers.map((server) => server.stop()))
  }
  expect(kills).toBeGreaterThan(60)
  expect(partial).toBeGreaterThan(0)
}, 120_000)

/** What tools have found so far, by item: it stays. */
function written(made: readonly ItemRow[]): Map<string, string> {
  return new Map(
    made.flatMap((item) => (item.status === 'completed' && item.extras.call ? [[item.id, JSON.stringify(item)]] : [])),
  )
}

function expectInOrder(events: readonly RunEventRow[]): void {
  const seqs = events.map(({ seq }) => seq)
  expect(new Set(seqs).size).toBe(seqs.length)
  expect(events.at(-1)).toMatchObject({ name: 'run-changed', data: '{"status":"completed"}' })
  const added = events
    .filter(({ name }) => name === 'item-added')
    .map(({ data }) => (JSON.parse(data) as { id: string }).id)
  const ended = events
    .filter(({ name }) => name === 'item-done')
    .map(({ data }) => (JSON.parse(data) as { id: string }).id)
  expect(new Set(ended)).toEqual(new Set(added))
}

test('an answer that was to end with its server fails and says why', async () => {
  const hold = createModel(async function* (): AsyncGenerator<Event> {
    yield { type: 'text-delta', choice: 0, text: 'half' }
    await new Promise(() => {})
  })
  const t = createTestRuns({ ask: hold }, { leaseMs: 200 })
  await t.stop()
  const first = t.another({})
  const run = t.newRun({ isDurable: false })
  await first.runs.engine.start(run)
  while (t.made(run.run.id).length === 0) await sleep(2)
  first.kill()
  t.skip(250)
  const second = t.another({ ask: createModel(() => 'never asked') })
  const ended = await second.runs.engine.wait(run.run.id, new AbortController().signal)
  expect(ended).toMatchObject({ status: 'failed', lastError: { code: 'server_error' } })
  expect(String(ended.lastError?.message)).toContain('stopped before it was complete')
  expect(t.made(run.run.id)[0]).toMatchObject({ status: 'incomplete' })
  await Promise.all([first.stop(), second.stop()])
})
