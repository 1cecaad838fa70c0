import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { ModelView } from '../../control/api.ts'
import { type ProgramFixture, startProgram } from '../program.fixture.ts'

let program: ProgramFixture
const ponto = (...args: string[]) => program.run(args)

const capacity = { minimum: 1, maximum: 1_000_000, step: 1, default: 1 }
const model: ModelView = {
  format: 'OpenAI',
  name: 'gpt-4o',
  version: '2024-11-20',
  isDefaultVersion: true,
  publisher: 'OpenAI',
  description: '',
  type: 'chat',
  capabilities: { chatCompletion: 'true', maxContextToken: '128000' },
  maxContextTokens: 128_000,
  maxOutputTokens: undefined,
  lifecycle: { status: 'GenerallyAvailable' },
  skus: [
    { name: 'GlobalStandard', capacity, perUnit: { kind: 'rate', tokensPerMinute: 1_000, requestsPerMinute: 6 } },
    {
      name: 'ProvisionedManaged',
      capacity: { minimum: 50, maximum: 100_000, step: 50, default: 50 },
      perUnit: { kind: 'provisioned', inputTokensPerMinute: 2_500, outputWeight: 4 },
    },
    { name: 'GlobalBatch', capacity, perUnit: { kind: 'enqueued', tokens: 1_000 } },
  ],
  runsOn: ['openai', 'azure-openai'],
  deployments: ['chat', 'tools'],
  source: 'shipped',
}
const older: ModelView = {
  ...model,
  version: '2024-05-13',
  isDefaultVersion: false,
  lifecycle: {
    status: 'Legacy',
    retiresAt: '2027-03-31T00:00:00.000Z',
    replacement: { name: 'gpt-5', version: '2025-08-07' },
  },
  deployments: [],
}
const embedder: ModelView = {
  ...model,
  name: 'nomic',
  type: 'embeddings',
  runsOn: ['builtin'],
  deployments: [],
  source: 'operator',
}

beforeAll(async () => {
  program = await startProgram()
  program.script(({ path }) => {
    if (path === '/management/models') return { status: 200, body: { value: [model, older, embedder] } }
    if (path === '/management/models/GPT-4o') return { status: 200, body: { value: [model, older] } }
    const message = 'There is no model "gpt-4" in the catalog. Did you mean "gpt-4o"?'
    return { status: 404, body: { error: { code: 'NotFound', message } } }
  })
})
afterAll(() => program.stop())

describe('model list', () => {
  test('shows every version, what is to come of it, and who uses it', async () => {
    const { code, out } = await ponto('model', 'list')
    expect(code).toBe(0)
    const lines = out.split('\n').map((line) => line.split(/ {2,}/))
    expect(lines.slice(0, 4)).toEqual([
      ['NAME', 'VERSION', 'PUBLISHER', 'TYPE', 'STATUS', 'RUNS ON', 'DEPLOYMENTS'],
      ['gpt-4o', '2024-11-20 (default)', 'OpenAI', 'chat', 'GenerallyAvailable', 'openai, azure-openai', 'chat, tools'],
      [
        'gpt-4o',
        '2024-05-13',
        'OpenAI',
        'chat',
        'Legacy, ends 2027-03-31, then gpt-5 2025-08-07',
        'openai, azure-openai',
      ],
      ['nomic', '2024-11-20 (default)', 'OpenAI', 'embeddings', 'GenerallyAvailable', 'built-in engine'],
    ])
  })

  test('of one type', async () => {
    const { out } = await ponto('model', 'list', '--type', 'embeddings', '--output', 'json')
    expect(JSON.parse(out).map(({ name }: ModelView) => name)).toEqual(['nomic'])
    expect((await ponto('model', 'list', '--type', 'rerank')).out).toBe('The catalog has no model of type rerank.\n')
    expect((await ponto('model', 'list', '--type', 'song')).code).toBe(2)
  })
})

describe('model show', () => {
  test('says what a unit of each SKU is worth', async () => {
    const { code, out } = await ponto('model', 'show', 'GPT-4o')
    expect(code).toBe(0)
    for (const text of [
      'All versions  2024-11-20 (default), 2024-05-13',
      'Capabilities  chatCompletion, maxContextToken 128000',
      'Context       128,000 tokens',
      'SKU           GlobalStandard: 1 to 1,000,000 units, each 1,000 tokens and 6 requests a minute',
      'SKU           ProvisionedManaged: 50 to 100,000 units in steps of 50, each 2,500 input tokens a minute, an output token counting as 4',
      'SKU           GlobalBatch: 1 to 1,000,000 units, each 1,000 waiting tokens',
      'Deployment    tools',
    ])
      expect(out.split('\n')).toContain(text)
  })

  test('another version, and one that is not there', async () => {
    const { out } = await ponto('model', 'show', 'GPT-4o', '--model-version', '2024-05-13', '--output', 'json')
    expect(JSON.parse(out)).toMatchObject({ version: '2024-05-13', lifecycle: older.lifecycle })
    expect(await ponto('model', 'show', 'GPT-4o', '--model-version', '7')).toEqual({
      code: 1,
      out: '',
      err: 'error: There is no version "7" of GPT-4o in the catalog; there is 2024-11-20, 2024-05-13.\n',
    })
  })

  test('a model that is not there', async () => {
    const { code, err } = await ponto('model', 'show', 'gpt-4')
    expect([code, err]).toEqual([1, 'error: There is no model "gpt-4" in the catalog. Did you mean "gpt-4o"?\n'])
  })
})
