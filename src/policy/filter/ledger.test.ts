import { expect, test } from 'bun:test'
import { directionOf } from './direction.ts'
import { makeEngine, makePlan, makeRule, makeSide } from './filter.fixture.ts'
import { openLedger } from './ledger.ts'

test('a topic is explained as it is annotated, whatever the rule about topics says', () => {
  const topic = (name: string, blocking: boolean) => ({ name, description: name, examples: [], blocking })
  const rules = [makeRule('custom_topics', { usesBuiltin: false, engines: [makeEngine()], blocking: true })]
  const prompt = makeSide({ rules, topics: [topic('chess', false), topic('tax', true)] })
  const ledger = openLedger(directionOf(makePlan({ prompt }), 'Prompt'))
  const where = { at: 'text', offset: 0, engine: 'fake/guard' }
  expect(ledger.note({ category: 'custom_topics', severity: 7, id: 'chess' }, where)).toBe(false)
  expect(ledger.isFiltered).toBe(false)
  expect(ledger.note({ category: 'custom_topics', severity: 7, id: 'nothing' }, where)).toBe(false)
  expect(ledger.note({ category: 'custom_topics', severity: 7, id: 'tax' }, where)).toBe(true)
  expect(ledger.explanations.map(({ id, filtered }) => [id, filtered])).toEqual([
    ['chess', false],
    ['tax', true],
  ])
})
