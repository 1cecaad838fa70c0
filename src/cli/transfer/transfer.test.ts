import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ImportView } from '../../control/api.ts'
import { type ProgramFixture, startProgram } from '../program.fixture.ts'

let program: ProgramFixture
const ponto = (...args: string[]) => program.run(args)

beforeAll(async () => {
  program = await startProgram()
})
afterAll(() => program.stop())

describe('export', () => {
  test('the text alone goes to standard output or into the file, notes to standard error', async () => {
    program.script(() => ({ status: 200, body: { format: 'arm', text: '{}\n', notes: ['raiTopics are left out'] } }))
    const { code, out, err } = await ponto('export', '--arm')
    expect([code, out, err]).toEqual([0, '{}\n', 'note: raiTopics are left out\n'])
    expect(program.seen.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /management/export?format=arm'])
    const file = join(program.home, 'out.json')
    expect((await ponto('export', '--bicep', '--to', file)).out).toBe('')
    expect(readFileSync(file, 'utf8')).toBe('{}\n')
    expect((await ponto('export', '--to', join(program.home, 'none', 'x'))).err).toContain('cannot be written')
    expect((await ponto('export', '--arm', '--bicep')).code).toBe(2)
  })
})

describe('import', () => {
  const answer: ImportView = {
    format: 'a list of Azure resources',
    notes: ['a: left out'],
    value: [
      { kind: 'deployment', name: 'gpt-4o', result: 'created' },
      { kind: 'deployment', name: 'own', result: 'kept' },
    ],
  }

  test('sends the text, where it runs and the parameters, and says what came of each', async () => {
    const file = join(program.home, 'list.json')
    writeFileSync(file, '[1]')
    const parameters = join(program.home, 'parameters.json')
    writeFileSync(parameters, '{"parameters":{"a":{"value":"x"}}}')
    program.script(() => ({ status: 200, body: answer }))
    const flags = ['--backend', 'https://a.example', '--protocol', 'azure-openai', '--replace', '--dry-run']
    const { code, out, err } = await ponto('import', file, ...flags)
    expect([code, err]).toEqual([0, 'note: a: left out\n'])
    expect(out.split('\n').slice(1)).toEqual([
      'deployment  gpt-4o  created',
      'deployment  own     kept',
      '',
      '1 created, 1 kept, from a list of Azure resources. Nothing was written.',
      'Those that are kept differ from the import: --replace changes them.',
      '',
    ])
    expect(program.seen.map(({ path, body }) => [path, body])).toEqual([
      [
        '/management/import?dryRun=true',
        { text: '[1]', backends: [{ url: 'https://a.example', protocol: 'azure-openai' }], existing: 'replace' },
      ],
    ])
    await ponto('import', file, '--parameters', parameters)
    expect(program.seen.at(-1)?.body).toEqual({ text: '[1]', parameters: { a: { value: 'x' } }, existing: 'keep' })
    await ponto('import', file, '--parameter', 'capacity=5', '--parameter', 'name=x')
    expect(program.seen.at(-1)?.body).toEqual({ text: '[1]', parameters: { capacity: 5, name: 'x' }, existing: 'keep' })
  })

  test('ends with 1 when something failed, and says why', async () => {
    const file = join(program.home, 'list.json')
    writeFileSync(file, '[1]')
    const error = { code: 'InvalidModel', message: 'model: there is none' }
    const value = [{ kind: 'deployment', name: 'x', result: 'failed', error }]
    program.script(() => ({ status: 200, body: { ...answer, notes: [], value } }))
    const { code, out } = await ponto('import', file)
    expect([code, out]).toEqual([1, expect.stringContaining('x     failed   model: there is none')])
    expect((await ponto('import', join(program.home, 'none.json'))).err).toContain('cannot be read')
  })
})
