import { describe, expect, test } from 'bun:test'
import type { ChatCall } from '../../../core/call.ts'
import { directionOf } from '../direction.ts'
import { makeList, makePlan, makeRule, makeSide } from '../filter.fixture.ts'
import { openLedger } from '../ledger.ts'
import type { DirectionPlan } from '../plan.ts'
import { scanPrompt } from './judge-prompt.ts'
import { readPrompt } from './read-prompt.ts'

async function scan(content: string, side: Partial<DirectionPlan>) {
  const plan = makePlan({ prompt: makeSide(side) })
  const direction = directionOf(plan, 'Prompt')
  const ledger = openLedger(direction)
  const messages = [{ role: 'user', content }] as const
  const call: ChatCall = { kind: 'chat', deployment: 'd', stream: false, includeUsage: false, n: 1, messages }
  await scanPrompt(direction, readPrompt(call, plan.scope), ledger)
  return ledger
}

const attack = makeRule('jailbreak')

describe('a mark around what the user says', () => {
  test('does not hide it from what looks for attacks by users', async () => {
    for (const content of ['snarz', '<documents>snarz</documents>', 'Hi. <documents>snarz']) {
      expect((await scan(content, { rules: [attack] })).isFiltered).toBe(true)
    }
  })

  test('makes it a document where attacks in those are looked for', async () => {
    const rules = [attack, makeRule('indirect_attack')]
    expect((await scan('<documents>snarz', { rules })).isFiltered).toBe(false)
  })
})

describe('a long prompt', () => {
  const padding = 'word '.repeat(60_000)
  const side = { rules: [makeRule('hate')], blocklists: [makeList('secret', ['blue moon'])] }

  test('is judged all through, also where its pieces meet', async () => {
    expect((await scan(padding, side)).isFiltered).toBe(false)
    for (const shift of [0, 1, 2, 3, 4, 5, 6, 7, 8]) {
      const before = padding.slice(0, 250_000 - shift)
      expect((await scan(`${before} blue moon ${padding}`, side)).isFiltered).toBe(true)
      expect((await scan(`${before} grumbel wuffels ${padding}`, side)).isFiltered).toBe(true)
    }
    expect((await scan(`${padding}grumbel wuffels`, side)).isFiltered).toBe(true)
  })

  test('lets others have their turn', async () => {
    let turns = 0
    let isOver = false
    const count = () => {
      turns++
      if (!isOver) setImmediate(count)
    }
    setImmediate(count)
    await scan(padding.repeat(4), side)
    isOver = true
    expect(turns).toBeGreaterThan(10)
  })
})
