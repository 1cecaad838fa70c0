import { expect, test } from 'bun:test'
import type { Caller } from '../../core/exchange.ts'
import { mayUse } from './authorize.ts'

const holder = (deployments: ReadonlySet<string> | undefined): Caller => ({
  keyName: 'ci',
  grant: { deployments, tokensPerMinute: undefined, requestsPerMinute: undefined, budgets: [] },
  expiresAt: undefined,
})

test("the resource's own keys and keys for everything may use whatever there is", () => {
  expect(mayUse({ keyName: 'key1', grant: undefined, expiresAt: undefined }, 'any')).toBe(true)
  expect(mayUse(holder(undefined), 'any')).toBe(true)
})

test('a key for some deployments may use those, in any case, and no other', () => {
  const caller = holder(new Set(['gpt-4o']))
  expect(mayUse(caller, 'GPT-4o')).toBe(true)
  for (const name of ['gpt-4', 'gpt-4o2', '', '__proto__', 'constructor']) expect(mayUse(caller, name)).toBe(false)
  expect(mayUse(holder(new Set()), 'gpt-4o')).toBe(false)
})
