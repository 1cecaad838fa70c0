import { describe, expect, test } from 'bun:test'
import type { Json } from '../../../core/json.ts'
import { readArmList } from './read-arm.ts'

const provider = 'Microsoft.CognitiveServices/accounts'
const idOf = (path: string) => `/subscriptions/0/resourceGroups/rg/providers/${provider}/contoso/${path}`

describe('content filters as the management REST lists them', () => {
  test('policies of older versions, with nulls, and what nothing here acts on', () => {
    const filter = { name: 'hate', allowedContentLevel: 'High', blocking: true, enabled: true, source: 'Prompt' }
    const properties = {
      policyType: 'UserManaged',
      mode: 'Deferred',
      basePolicyName: 'Microsoft.Default',
      contentFilters: [filter],
      promptBlocklists: null,
      safetyProviders: [{ safetyProviderName: 'x', blocking: true, source: 'Prompt' }],
    }
    const { items, notes } = readArmList([
      { type: `${provider}/raiPolicies`, name: 'Old', tags: { a: 'b' }, properties },
      { type: `${provider}/raiPolicies`, name: 'Microsoft.Default', properties },
    ])
    expect(items.map(({ name }) => name)).toEqual(['Old'])
    expect(items[0]?.makeDocument(undefined)).toEqual({
      tags: { a: 'b' },
      mode: 'Deferred',
      basePolicyName: 'Microsoft.Default',
      contentFilters: [{ name: 'hate', severityThreshold: 'High', blocking: true, enabled: true, source: 'Prompt' }],
    })
    expect(notes).toEqual(['Old: properties.safetyProviders: not taken over, nothing here acts on it'])
  })

  test('what only Ponto has of a policy that is there stays', () => {
    const [item] = readArmList([
      {
        type: `${provider}/raiPolicies`,
        name: 'P',
        properties: { contentFilters: [{ name: 'Violence', source: 'Prompt', enabled: true }] },
      },
    ]).items
    const before: Record<string, Json> = {
      contentFilters: [{ name: 'Violence', source: 'Prompt', engines: ['guard'] }],
      promptCheck: 'first',
      effectiveFilters: [],
    }
    expect(item?.makeDocument(before)).toEqual({
      contentFilters: [{ name: 'Violence', source: 'Prompt', enabled: true, engines: ['guard'] }],
      promptCheck: 'first',
    })
  })

  test('items of a blocklist, with their list or, as they are listed, without', () => {
    const item = (list: string, name: string) => ({
      type: `${provider}/raiBlocklists/raiBlocklistItems`,
      id: idOf(`raiBlocklists/${list}/raiBlocklistItems/${name}`),
      name,
      properties: { pattern: name, isRegex: null },
    })
    const list = {
      type: `${provider}/raiBlocklists`,
      name: 'known',
      properties: { description: 'd' },
      tags: { t: 'v' },
    }
    const { items } = readArmList({ value: [item('Known', 'a'), list, item('alone', 'b'), item('KNOWN', 'c')] })
    const before = { description: 'old', tags: { x: 'y' }, itemCount: 5 }
    expect(items.map(({ name, makeDocument }) => [name, makeDocument(before)])).toEqual([
      [
        'known',
        {
          description: 'd',
          tags: { t: 'v' },
          items: [
            { pattern: 'a', name: 'a' },
            { pattern: 'c', name: 'c' },
          ],
        },
      ],
      ['alone', { description: 'old', tags: { x: 'y' }, items: [{ pattern: 'b', name: 'b' }] }],
    ])
  })
})

test('a page of several, two of one name, and other types are told', () => {
  const deployment = { type: `${provider}/deployments`, name: 'x', properties: { model: { name: 'm' } } }
  const account = { type: provider, name: 'contoso', properties: {} }
  const { items, notes } = readArmList({
    value: [deployment, account, { ...deployment, name: 'X' }],
    nextLink: 'https://x',
  })
  expect(items.map(({ name }) => name)).toEqual(['X'])
  expect(notes).toEqual([
    'this is one page of several: what nextLink leads to is not in it',
    'deployment X is there more than once: the last one counts',
    'resources of the type accounts are not taken over: contoso',
  ])
})
