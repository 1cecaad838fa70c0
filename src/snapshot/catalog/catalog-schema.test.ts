import { describe, expect, test } from 'bun:test'
import { formatProblem, parseDocument } from '../../core/text/parse-document.ts'
import { describeEntry, modelEntrySchema } from './catalog-schema.ts'
import { createCatalog, genericSkus } from './create-catalog.ts'

function read(entry: object) {
  return describeEntry(modelEntrySchema.parse(entry))
}

function problemsOf(entry: object): string[] {
  const parsed = parseDocument(modelEntrySchema, entry)
  return 'problems' in parsed ? parsed.problems.map(formatProblem) : []
}

describe("an operator's entry", () => {
  test('needs a name, and has the rest of a model that nobody knows', () => {
    expect(read({ name: 'mine' })).toMatchObject({
      format: 'OpenAI',
      name: 'mine',
      version: '1',
      isDefaultVersion: true,
      lifecycle: { status: 'GenerallyAvailable', retiresAt: undefined, replacement: undefined },
      skus: genericSkus,
      source: 'operator',
    })
  })

  test('says what units are worth, family by family', () => {
    const { skus } = read({
      name: 'mine',
      skus: [
        { name: 'Standard', tokensPerMinute: 500, requestsPerMinute: 0.5 },
        { name: 'GlobalStandard', requestsPerMinute: 3 },
        {
          name: 'ProvisionedManaged',
          capacity: { minimum: 10, maximum: 40, step: 10 },
          inputTokensPerMinute: 900,
          outputWeight: 3,
        },
        { name: 'GlobalBatch', enqueuedTokens: 2_000 },
      ],
    })
    expect(skus).toEqual([
      {
        name: 'Standard',
        capacity: { minimum: 1, maximum: 1_000_000, step: 1, default: 1 },
        perUnit: { kind: 'rate', tokensPerMinute: 500, requestsPerMinute: 0.5 },
      },
      {
        name: 'GlobalStandard',
        capacity: { minimum: 1, maximum: 1_000_000, step: 1, default: 1 },
        perUnit: { kind: 'rate', tokensPerMinute: undefined, requestsPerMinute: 3 },
      },
      {
        name: 'ProvisionedManaged',
        capacity: { minimum: 10, maximum: 40, step: 10, default: 10 },
        perUnit: { kind: 'provisioned', inputTokensPerMinute: 900, outputWeight: 3 },
      },
      {
        name: 'GlobalBatch',
        capacity: { minimum: 1, maximum: 1_000_000, step: 1, default: 1 },
        perUnit: { kind: 'enqueued', tokens: 2_000 },
      },
    ])
  })

  test.each([
    ['2027-03-01', Date.UTC(2027, 2, 1)],
    ['2027-03-01T12:00:00+02:00', Date.UTC(2027, 2, 1, 10)],
  ])('ends on %s', (retiresAt, time) => {
    expect(read({ name: 'mine', lifecycle: { status: 'Legacy', retiresAt } }).lifecycle).toMatchObject({
      status: 'Legacy',
      retiresAt: time,
    })
  })

  test('gives a known version another end', () => {
    const end = read({ name: 'gpt-4o', version: '2024-05-13', default: false, lifecycle: { retiresAt: '2027-01-01' } })
    const catalog = createCatalog([], [end])
    expect(catalog.find('gpt-4o', '2024-05-13')?.lifecycle.retiresAt).toBe(Date.UTC(2027, 0, 1))
    expect(catalog.versionsOf('gpt-4o').map(({ version }) => version)).toEqual([
      '2024-11-20',
      '2024-08-06',
      '2024-05-13',
    ])
  })

  test.each<[string, object, string]>([
    ['a date of no calendar', { lifecycle: { retiresAt: '2027-02-30' } }, 'lifecycle.retiresAt: got "2027-02-30"'],
    ['another word for its state', { lifecycle: { status: 'Retired' } }, 'lifecycle.status: got "Retired"'],
    ['provisioned units without a worth', { skus: [{ name: 'ProvisionedManaged' }] }, 'skus[0].inputTokensPerMinute: '],
    ['batch units without a worth', { skus: [{ name: 'GlobalBatch' }] }, 'skus[0].enqueuedTokens: '],
    ['standard units without a worth', { skus: [{ name: 'Standard' }] }, 'skus[0].tokensPerMinute: '],
    [
      'more at least than at most',
      { skus: [{ name: 'Standard', tokensPerMinute: 1, capacity: { minimum: 9, maximum: 5 } }] },
      'skus[0].capacity.minimum: ',
    ],
    [
      'a least number off the steps',
      { skus: [{ name: 'Standard', tokensPerMinute: 1, capacity: { minimum: 5, step: 2 } }] },
      'skus[0].capacity.minimum: ',
    ],
    ['a field that nobody knows', { tokens: 5 }, 'tokens'],
  ])('with %s is refused', (_what, fields, text) => {
    const problems = problemsOf({ name: 'mine', ...fields })
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(text)
  })
})
