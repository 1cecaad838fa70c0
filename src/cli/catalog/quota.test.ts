import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { QuotaView } from '../../control/api.ts'
import { type ProgramFixture, startProgram } from '../program.fixture.ts'

let program: ProgramFixture
const ponto = (...args: string[]) => program.run(args)

beforeAll(async () => {
  program = await startProgram()
})
afterAll(() => program.stop())

const pool: QuotaView = {
  name: 'GlobalStandard.gpt-4o',
  model: 'gpt-4o',
  sku: 'GlobalStandard',
  unit: 'Tokens Per Minute (thousands)',
  limit: 300,
  used: 120,
  available: 180,
  deployments: [
    { name: 'chat', capacity: 100 },
    { name: 'tools', capacity: 20 },
  ],
  source: { kind: 'stored' },
}
const declared: QuotaView = {
  name: 'Standard',
  sku: 'Standard',
  unit: 'Tokens Per Minute (thousands)',
  limit: 5,
  used: 0,
  available: 5,
  deployments: [],
  source: { kind: 'file', file: '/etc/ponto.yaml' },
}

describe('quota list', () => {
  test('shows what is used, by whom, and where a pool was declared', async () => {
    program.script(() => ({ status: 200, body: { value: [pool, declared] } }))
    const { code, out } = await ponto('quota', 'list')
    expect(code).toBe(0)
    expect(out).toBe(
      [
        'NAME                   LIMIT  USED  AVAILABLE  UNIT                           DEPLOYMENTS  DECLARED IN',
        'GlobalStandard.gpt-4o  300    120   180        Tokens Per Minute (thousands)  chat, tools  API or CLI',
        'Standard               5      0     5          Tokens Per Minute (thousands)               /etc/ponto.yaml',
        '',
      ].join('\n'),
    )
    expect(program.seen.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /management/quota'])
  })

  test('as JSON, and without pools', async () => {
    program.script(() => ({ status: 200, body: { value: [pool] } }))
    expect(JSON.parse((await ponto('quota', 'list', '--output', 'json')).out)).toEqual([pool])
    program.script(() => ({ status: 200, body: { value: [] } }))
    expect((await ponto('quota', 'list')).out).toContain('capacity is not limited')
  })
})

describe('quota set', () => {
  test('sends the limit and shows the pool', async () => {
    program.script(() => ({ status: 200, body: pool }))
    const { code, out } = await ponto('quota', 'set', 'GlobalStandard.gpt-4o', '300')
    expect(code).toBe(0)
    expect(out).toContain('300 (Tokens Per Minute (thousands))')
    expect(program.seen[0]).toMatchObject({
      method: 'PUT',
      path: '/management/quota/GlobalStandard.gpt-4o',
      body: { limit: 300 },
    })
  })

  test('says so when more is used than there is', async () => {
    program.script(() => ({ status: 200, body: { ...pool, limit: 100, available: 0 } }))
    expect((await ponto('quota', 'set', pool.name, '100')).out).toContain('120, more than the limit')
  })

  test.each(['-1', '1.5', '5k', ''])('%p is no number of units', async (units) => {
    program.script(() => ({ status: 500 }))
    const { code, err } = await ponto('quota', 'set', 'Standard', '--', units)
    expect(code).toBe(2)
    expect(err).toContain(`"${units}" is no number of units: 0, 1, 2, ...`)
    expect(program.seen).toEqual([])
  })

  test('passes on why it is refused', async () => {
    const message = 'The quota pool "Standard" is declared in /etc/ponto.yaml, and can only be changed there.'
    program.script(() => ({ status: 409, body: { error: { code: 'DeclaredInFile', message } } }))
    expect(await ponto('quota', 'set', 'Standard', '3')).toEqual({ code: 1, out: '', err: `error: ${message}\n` })
  })
})

test('quota remove', async () => {
  program.script(() => ({ status: 204 }))
  expect(await ponto('quota', 'remove', 'Standard.a/b')).toEqual({ code: 0, out: 'Removed Standard.a/b.\n', err: '' })
  expect(program.seen[0]).toMatchObject({ method: 'DELETE', path: '/management/quota/Standard.a%2Fb' })
})

test('the help says how a pool is named', async () => {
  const { out } = await ponto('quota', '--help')
  expect(out).toContain('ponto quota set GlobalStandard.gpt-4o 300')
})
