import { expect, test } from 'bun:test'
import type { Event } from '../../core/event.ts'
import type { Reply } from '../../core/reply.ts'
import { type Answer, tapReply } from './tap.ts'
import type { Holding } from './write-queue.ts'

const holding: Holding = { take: () => true, keep() {}, drop() {} }
const judged: Event = { type: 'prompt-filter', results: { hate: { filtered: false, severity: 'safe' } } }
const said: Event = { type: 'text-delta', choice: 0, text: 'hi' }

async function pass(events: readonly Event[]): Promise<{ passed: Event[]; told: Answer[] }> {
  const told: Answer[] = []
  const source = async function* () {
    yield* events
  }
  const reply = tapReply({ kind: 'stream', events: source() }, { servedModel: 'm', created: 1 }, holding, (answer) => {
    told.push(answer)
  }) as Extract<Reply, { kind: 'stream' }>
  return { passed: await Array.fromAsync(reply.events), told }
}

test('what a filter says of the prompt stays first, and the answer keeps the id that its model gave', async () => {
  const start: Event = { type: 'answer-start', id: 'x', model: 'n', created: 2 }
  const { passed, told } = await pass([judged, start, said])
  expect(passed).toEqual([judged, start, said])
  expect(told).toEqual([{ kind: 'events', events: passed }])
})

test('an answer that never starts gets its one id after what is said of the prompt', async () => {
  const { passed } = await pass([judged, said])
  expect(passed).toEqual([judged, expect.objectContaining({ type: 'answer-start', model: 'm', created: 1 }), said])
})
