import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ProgramFixture, startProgram } from '../../program.fixture.ts'
import { makeBlocklist } from '../views.fixture.ts'

let program: ProgramFixture
const blocklist = (...args: string[]) => program.run(['filter', 'blocklist', ...args])
const items = [
  { name: 'a1', pattern: 'Building 7', isRegex: false },
  { name: 'Badge', pattern: 'EMP-[0-9]+', isRegex: true },
]
const changed = { added: 1, changed: 0, removed: 0, count: 3 }

beforeAll(async () => {
  program = await startProgram()
})
afterAll(() => program.stop())

test('list, and without any', async () => {
  program.script(() => ({ status: 200, body: { value: [makeBlocklist({ itemCount: 10_000, policies: ['strict'] })] } }))
  const { out } = await blocklist('list')
  expect(out.split('\n')[1]).toStartWith('offices  10,000  strict    API or CLI')
  program.script(() => ({ status: 200, body: { value: [] } }))
  expect((await blocklist('list')).out).toContain('ponto filter blocklist create NAME')
})

test('show asks for as many items as are wanted, a page after the other', async () => {
  const all = Array.from({ length: 1500 }, (_, index) => ({ name: `i${index}`, pattern: `p${index}`, isRegex: false }))
  program.script(({ path }) => {
    const { pathname, searchParams } = new URL(path, 'https://x')
    if (!pathname.endsWith('/items')) return { status: 200, body: makeBlocklist({ itemCount: 1500 }) }
    const from = all.findIndex(({ name }) => name === searchParams.get('after')) + 1
    const value = all.slice(from, from + Number(searchParams.get('top')))
    return { status: 200, body: { count: 1500, value, ...(from + value.length < 1500 && { nextLink: '/next' }) } }
  })
  const { out } = await blocklist('show', 'offices')
  expect(out).toContain('And 1,450 more')
  expect(program.seen).toHaveLength(2)
  const whole = JSON.parse((await blocklist('show', 'offices', '--all', '-o', 'json')).out)
  expect(whole.items).toEqual(all)
})

test('create', async () => {
  program.script(() => ({ status: 201, body: makeBlocklist() }))
  const { code, out } = await blocklist('create', 'offices', '--description', 'ours', '--term', 'a', '--term', 'b')
  expect(code).toBe(0)
  expect(out).toContain('none: nothing looks for its items yet')
  expect(program.seen[0]).toMatchObject({
    method: 'PUT',
    path: '/management/rai-blocklists/offices',
    body: { description: 'ours', terms: ['a', 'b'] },
  })
  expect(program.seen[0]?.headers['if-none-match']).toBe('*')
})

describe('add and remove', () => {
  test('add terms, patterns and a named item', async () => {
    program.script(() => ({ status: 200, body: changed }))
    const { out } = await blocklist('add', 'offices', 'Building 7', 'Heron')
    expect(out).toContain('Added      1\n')
    expect(program.seen[0]).toMatchObject({ method: 'POST', path: '/management/rai-blocklists/offices/items' })
    expect(program.seen[0]?.body).toEqual([
      { pattern: 'Building 7', isRegex: false },
      { pattern: 'Heron', isRegex: false },
    ])
    await blocklist('add', 'offices', '--item', 'badge', '--regex', 'EMP')
    expect(program.seen[1]?.body).toEqual([{ name: 'badge', pattern: 'EMP', isRegex: true }])
    expect((await blocklist('add', 'offices', '--item', 'badge', 'a', 'b')).code).toBe(2)
  })

  test('a pattern that is refused is named', async () => {
    const details = [
      { code: 'x', target: '[0].pattern', message: 'cannot be used: no' },
      { code: 'x', target: '[1].pattern', message: 'cannot be used: neither' },
    ]
    program.script(() => ({ status: 400, body: { error: { code: 'x', message: 'm', details } } }))
    const { code, err } = await blocklist('add', 'offices', '--regex', 'a"b', 'c')
    expect([code, err]).toEqual([1, 'error: "a\\"b": cannot be used: no\nerror: "c": cannot be used: neither\n'])
  })

  test('remove finds items by name or by what they look for', async () => {
    program.script(({ path }) => ({ status: 200, body: path.endsWith('/delete') ? changed : { value: items } }))
    const { code } = await blocklist('remove', 'offices', 'Building 7', 'BADGE')
    expect(code).toBe(0)
    expect(program.seen.at(-1)).toMatchObject({
      method: 'POST',
      path: '/management/rai-blocklists/offices/items/delete',
      body: ['a1', 'Badge'],
    })
    const { code: other, err } = await blocklist('remove', 'offices', 'Building 7', 'nothing')
    expect(other).toBe(2)
    expect(err).toContain('offices has no item "nothing"')
  })

  test('delete asks nobody where no terminal is', async () => {
    program.script(() => ({ status: 204 }))
    expect((await blocklist('delete', 'offices')).out).toBe('Deleted offices.\n')
  })
})

describe('import', () => {
  test('sends 10,000 terms in portions and tells how far it is on standard error', async () => {
    const file = join(program.home, 'terms.txt')
    writeFileSync(file, Array.from({ length: 10_000 }, (_, index) => `term ${index}`).join('\n'))
    let count = 0
    program.script(({ body }) => {
      count += (body as unknown[]).length
      return { status: 200, body: { ...changed, added: (body as unknown[]).length, count } }
    })
    const { code, out, err } = await blocklist('import', 'offices', file, '-o', 'json')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toEqual({ added: 10_000, changed: 0, removed: 0, count: 10_000 })
    expect(program.seen).toHaveLength(10)
    expect(program.seen.flatMap(({ body }) => body)).toHaveLength(10_000)
    const steps = err.trimEnd().split('\n')
    expect([steps.length, steps[0], steps[9]]).toEqual([10, '1,000 of 10,000 terms', '10,000 of 10,000 terms'])
  })

  test('says which line of the file the server refuses', async () => {
    const file = join(program.home, 'patterns.csv')
    writeFileSync(file, 'term,isRegex\nok,true\n\n(a+)+\\1,true\n')
    const details = [{ code: 'x', target: '[1].pattern', message: 'cannot be used: a reference to a group' }]
    program.script(() => ({ status: 400, body: { error: { code: 'x', message: 'm', details } } }))
    expect(await blocklist('import', 'offices', file)).toEqual({
      code: 1,
      out: '',
      err: `error: ${file}:4: cannot be used: a reference to a group\n`,
    })
  })

  test('sends nothing of a file that cannot be read whole', async () => {
    const file = join(program.home, 'broken.csv')
    writeFileSync(file, 'ok,true\nx,perhaps\ny,perhaps\n')
    program.script(() => ({ status: 500 }))
    const { code, err } = await blocklist('import', 'offices', file)
    expect(code).toBe(1)
    expect(err.match(/^error: .*broken\.csv:[23]: isRegex/gm)).toHaveLength(2)
    expect(program.seen).toEqual([])
  })
})
