import { expect, test } from 'bun:test'
import { deploymentSpecSchema } from '../deployment-spec.ts'
import { createPlaceBook } from './place-book.ts'
import { placesKey } from './shares.ts'

const bought = (concurrency: number) =>
  deploymentSpecSchema.parse({
    name: 'gpt',
    model: { name: 'm' },
    sku: { name: 'ProvisionedManaged', capacity: 1 },
    concurrency,
    backends: [{ url: 'https://a.example/v1', maxConcurrency: 4 }],
  })

test('deployments of one name in several resources have places of their own at a backend, and no more than it has', () => {
  const book = createPlaceBook()
  const spec = bought(1)
  const places = book.open(placesKey(spec.backends?.[0] as NonNullable<typeof spec.backends>[0]))
  book.share('', [spec])
  book.share('team~1', [bought(2)])
  const take = (deployment: string, times: number) =>
    Array.from({ length: times }, () => places.take(deployment)).filter(Boolean).length
  // One is left for all.
  expect(take('gpt', 9)).toBe(2)
  expect(take('team~1/gpt', 9)).toBe(2)
  expect(take('other', 9)).toBe(0)
  // What is kept for a resource that goes is everybody's.
  book.share('team~1', [])
  expect(take('other', 9)).toBe(2)
})
