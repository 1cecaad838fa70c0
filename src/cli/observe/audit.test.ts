import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { AuditView } from '../../control/api.ts'
import { type ProgramFixture, startProgram } from '../program.fixture.ts'
import { describeChange } from './describe-change.ts'

let program: ProgramFixture
const ponto = (...args: string[]) => program.run(args)

beforeAll(async () => {
  program = await startProgram()
})
afterAll(() => program.stop())

const change = (id: string, fields: Partial<AuditView> = {}): AuditView => ({
  id,
  at: '2026-11-01T10:00:00.000Z',
  actor: { kind: 'operator', id: 'operator', name: 'the management credential' },
  address: '127.0.0.1',
  action: 'accounts/deployments/write',
  target: '/management/deployments/gpt-4',
  status: 200,
  requestId: 'f00',
  ...fields,
})

describe('audit', () => {
  test('says what changed, what was made, and what was refused', async () => {
    const changed = change('a', {
      before: { etag: '1', sku: { capacity: 10 } },
      after: { etag: '2', sku: { capacity: 20 } },
    })
    const made = change('b', { status: 201, after: { name: 'gpt' } })
    const refused = change('c', { status: 403, code: 'RequestDisallowedByPolicy' })
    program.script(() => ({ status: 200, body: { value: [changed, made, refused] } }))
    const { code, out } = await ponto('audit', '--actor', 'operator', '--action', 'accounts/deployments')
    expect(code).toBe(0)
    const lines = out.split('\n').map((line) => line.replace(/^.*127\.0\.0\.1 {2}/, ''))
    expect(lines.slice(1, 4)).toEqual([
      'accounts/deployments/write  /deployments/gpt-4  200                            sku.capacity 10 -> 20',
      'accounts/deployments/write  /deployments/gpt-4  201                            made',
      'accounts/deployments/write  /deployments/gpt-4  403 RequestDisallowedByPolicy',
    ])
    expect(program.seen.map(({ path }) => path)).toEqual([
      '/management/audit?actor=operator&action=accounts%2Fdeployments&top=50',
    ])
  })

  test('goes through the pages: as many as are wanted, and all for an export', async () => {
    const pages = () =>
      program.script(({ path }) => {
        const isSecond = path.includes('after=')
        return {
          status: 200,
          body: {
            value: [change(isSecond ? 'b' : 'a')],
            ...(!isSecond && { nextLink: '/management/audit?after=1-a' }),
          },
        }
      })
    pages()
    const { out } = await ponto('audit', '--export')
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).id),
    ).toEqual(['a', 'b'])
    pages()
    expect(JSON.parse((await ponto('audit', '--top', '1', '--output', 'json')).out)).toHaveLength(1)
    expect(program.seen).toHaveLength(1)
    expect((await ponto('audit', '--top', 'many')).err).toContain('number of entries')
  })

  test('an empty log', async () => {
    program.script(() => ({ status: 200, body: { value: [] } }))
    expect((await ponto('audit')).out).toBe('Nothing was changed.\n')
  })
})

test('changes in a line: new, gone, nested, long and many', () => {
  expect(describeChange({ a: 1, b: 2 }, { b: 2, c: { d: [1] } })).toBe('a 1 -> (none), c (none) -> {"d":[1]}')
  expect(describeChange({ a: 'x'.repeat(99) }, { a: '' })).toBe(`a "${'x'.repeat(36)}... -> ""`)
  const many = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`f${i}`, i]))
  expect(describeChange({}, many)).toEndWith('f3 (none) -> 3 and 5 more')
})
