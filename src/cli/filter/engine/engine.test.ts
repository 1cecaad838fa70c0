import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { Input } from '../../context.ts'
import { type ProgramFixture, startProgram } from '../../program.fixture.ts'
import { makeEngine } from '../views.fixture.ts'

let program: ProgramFixture
const engine = (...args: string[]) => program.run(['filter', 'engine', ...args])
const service = makeEngine({
  name: 'own',
  kind: 'http',
  profile: undefined,
  deployment: undefined,
  url: 'https://safety.example.com/v1',
  credential: { stored: true },
  deadlineMs: { prompt: 1500, window: 800 },
  options: { labels: { toxic: 'hate' } },
})

beforeAll(async () => {
  program = await startProgram()
})
afterAll(() => program.stop())

test('list, and without any', async () => {
  program.script(() => ({ status: 200, body: { value: [makeEngine(), service] } }))
  const { out } = await engine('list')
  expect(out.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
    ['NAME', 'KIND', 'ASKS', 'JUDGES', 'POLICIES', 'DECLARED IN'],
    ['guard', 'guard (qwen3guard)', 'deployment qwen', 'hate, jailbreak', 'strict', 'API or CLI'],
    ['own', 'http', 'safety.example.com', 'hate, jailbreak', 'strict', 'API or CLI'],
    [''],
  ])
  program.script(() => ({ status: 200, body: { value: [] } }))
  expect((await engine('list')).out).toContain('no engines but the built-in one')
})

describe('engine show', () => {
  test('says that there is a credential, not which', async () => {
    program.script(() => ({ status: 200, body: service }))
    const lines = (await engine('show', 'own')).out.split('\n').map((line) => line.split(/ {2,}/))
    expect(lines).toContainEqual(['Credential', 'stored'])
    expect(lines).toContainEqual(['Deadline', '1500 ms for a prompt, 800 ms for a part of an answer'])
    expect(lines).toContainEqual(['Option', 'labels: {"toxic":"hate"}'])
    expect(program.seen).toHaveLength(1)
  })

  test('asks it when told to, and fails when it does not answer', async () => {
    let ok = true
    program.script(({ path }) => ({
      status: 200,
      body: path.endsWith('/probe') ? { ok, detail: 'judged a text', ms: 12.3 } : service,
    }))
    const good = await engine('show', 'own', '--probe')
    expect([good.code, good.out.includes('answers after 12 ms: judged a text')]).toEqual([0, true])
    ok = false
    const bad = await engine('show', 'own', '--probe', '-o', 'json')
    expect(bad.code).toBe(1)
    expect(JSON.parse(bad.out).probe.ok).toBe(false)
  })
})

describe('engine create', () => {
  test('of a guard model', async () => {
    program.script(() => ({ status: 201, body: makeEngine() }))
    const flags = ['--kind', 'guard', '--deployment', 'qwen', '--profile', 'judge', '--prompt-deadline', '900']
    const { code } = await engine(
      'create',
      'guard',
      ...flags,
      '--option',
      'maxTokens=400',
      '--option',
      'policy=Be = kind',
    )
    expect(code).toBe(0)
    expect(program.seen[0]).toMatchObject({ method: 'PUT', path: '/management/filter-engines/guard' })
    expect(program.seen[0]?.headers['if-none-match']).toBe('*')
    expect(program.seen[0]?.body).toEqual({
      kind: 'guard',
      deployment: 'qwen',
      profile: 'judge',
      options: { maxTokens: 400, policy: 'Be = kind' },
      deadlineMs: { prompt: 900 },
    })
  })

  test('of a service, whose credential is read from standard input and shown nowhere', async () => {
    program.script(() => ({ status: 201, body: service }))
    const flags = ['--kind', 'http', '--url', 'https://safety.example.com/v1', '--credential-stdin']
    const args = ['filter', 'engine', 'create', 'own', ...flags, '--option', 'labels={"toxic":"hate"}']
    const stdin = Readable.from([Buffer.from('sk-secret\nmore')]) as unknown as Input
    const { code, out, err } = await program.run(args, { stdin })
    expect(code).toBe(0)
    expect(program.seen[0]?.body).toEqual({
      kind: 'http',
      url: 'https://safety.example.com/v1',
      credential: { value: 'sk-secret' },
      options: { labels: { toxic: 'hate' } },
    })
    expect(out + err).not.toContain('sk-secret')
  })

  test('with the name of a variable, and from a file', async () => {
    program.script(() => ({ status: 201, body: service }))
    await engine('create', 'own', '--kind', 'http', '--credential-env', 'PONTO_SECRET_X')
    expect(program.seen[0]?.body).toEqual({ kind: 'http', credential: { env: 'PONTO_SECRET_X' } })
    const file = join(program.home, 'engine.yaml')
    writeFileSync(file, 'name: own\nkind: http\nurl: https://a.example\n')
    const { err } = await engine('create', '--file', file, '--dry-run')
    expect(program.seen[1]?.path).toBe('/management/filter-engines/own?dryRun=true')
    expect(program.seen[1]?.body).toEqual({ kind: 'http', url: 'https://a.example' })
    expect(err).toContain('nothing was changed')
  })

  test.each([
    [['create', '--kind', 'http'], 'a name is missing'],
    [['create', 'x'], '--kind is missing'],
    [['create', 'x', '--kind', 'http', '--credential-env', 'KEY'], 'PONTO_SECRET_'],
    [['create', 'x', '--kind', 'http', '--credential-env', 'PONTO_SECRET_A', '--credential-stdin'], 'one credential'],
    [['create', 'x', '--kind', 'http', '--option', 'labels'], 'NAME=VALUE'],
    [['create', 'x', '--kind', 'http', '--option', 'a=1', '--option', 'a=2'], '"a" is given twice'],
    [['create', 'x', '--kind', 'http', '--max-chars', '0'], 'whole number from 1'],
    [['create', 'x', '--file', 'f', '--kind', 'http'], '--file says everything'],
  ])('%p is wrong usage', async (args, message) => {
    program.script(() => ({ status: 500 }))
    const { code, err } = await engine(...args)
    expect(code).toBe(2)
    expect(err).toContain(message)
    expect(program.seen).toEqual([])
  })
})

test('kinds are what the server says', async () => {
  const body = {
    engineKinds: {
      http: {
        categories: ['hate'],
        deployment: 'none',
        url: 'required',
        credential: 'optional',
        options: { model: {} },
      },
      guard: { categories: ['hate'], deployment: 'required', url: 'none', credential: 'none', options: {} },
    },
    guardProfiles: { judge: { categories: ['custom_topics'], options: { policy: { isRequired: true } } } },
  }
  program.script(() => ({ status: 200, body }))
  const { out } = await engine('kinds')
  const rows = out.split('\n').map((line) => line.split(/ {2,}/))
  expect(rows).toContainEqual(['http', '--url', 'optional', 'model', 'hate'])
  expect(rows).toContainEqual(['judge', 'policy (needed)', 'custom_topics'])
  expect(program.seen[0]?.path).toBe('/management/filters')
  expect(JSON.parse((await engine('kinds', '-o', 'json')).out)).toEqual({
    kinds: body.engineKinds,
    profiles: body.guardProfiles,
  })
})

test('engine delete passes on that it is used', async () => {
  const message = 'The filter engine "guard" is used by the content filter policy "strict". Change that first.'
  program.script(() => ({ status: 409, body: { error: { code: 'InUse', message } } }))
  expect(await engine('delete', 'guard')).toEqual({ code: 1, out: '', err: `error: ${message}\n` })
})
