import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ProgramFixture, startProgram } from '../../program.fixture.ts'
import { makeFilter, makePolicy } from '../views.fixture.ts'

let program: ProgramFixture
const policy = (...args: string[]) => program.run(['filter', 'policy', ...args])
const body = () => program.seen.at(-1)?.body

beforeAll(async () => {
  program = await startProgram()
})
afterAll(() => program.stop())

describe('policy list', () => {
  test('shows what each has, and who has it', async () => {
    const system = makePolicy({
      name: 'Microsoft.DefaultV2',
      type: 'SystemManaged',
      source: { kind: 'system' },
      effectiveFilters: [makeFilter({}), makeFilter({ source: 'Completion' })],
    })
    const own = makePolicy({
      customBlocklists: [
        { blocklistName: 'offices', blocking: true, source: 'Prompt' },
        { blocklistName: 'offices', blocking: true, source: 'Completion' },
      ],
      deployments: ['chat', 'tools'],
      source: { kind: 'file', file: '/etc/ponto.yaml', line: 12 },
    })
    program.script(() => ({ status: 200, body: { value: [system, own] } }))
    const { code, out } = await policy('list')
    expect(code).toBe(0)
    const lines = out.split('\n').map((line) => line.split(/ {2,}/))
    expect(lines[0]).toEqual(['NAME', 'BASE', 'MODE', 'FILTERS', 'BLOCKLISTS', 'DEPLOYMENTS', 'DECLARED IN', 'CHANGED'])
    expect(lines[1]?.slice(0, 4)).toEqual(['Microsoft.DefaultV2', '-', 'Default', '2'])
    expect(lines[2]?.slice(0, 7)).toEqual([
      'strict',
      'Microsoft.DefaultV2',
      'Default',
      '0',
      'offices',
      'chat, tools',
      '/etc/ponto.yaml:12',
    ])
    expect(JSON.parse((await policy('list', '-o', 'json')).out)).toHaveLength(2)
  })
})

describe('policy show', () => {
  test('says of every filter where it is from, what happens and what judges it', async () => {
    const view = makePolicy({
      contentFilters: [{ name: 'Hate', source: 'Prompt', enabled: true }],
      effectiveFilters: [
        makeFilter({ category: 'protected_material_text', source: 'Completion', leastSeverity: 1 }),
        makeFilter({ leastSeverity: 2, engines: ['guard', 'builtin'], combine: 'vote', onError: 'closed' }),
        makeFilter({
          category: 'personally_identifiable_information',
          leastSeverity: 1,
          piiTypes: [
            { type: 'Email', action: 'redact' },
            { type: 'IBAN', action: 'block' },
          ],
          restoresRedacted: true,
        }),
      ],
      customBlocklists: [{ blocklistName: 'offices', blocking: false, source: 'Prompt' }],
      scope: { messages: 'all', toolResults: true, exemptSystem: true },
      mode: 'Asynchronous_filter',
    })
    program.script(() => ({ status: 200, body: view }))
    const { code, out } = await policy('show', 'strict')
    expect(code).toBe(0)
    expect(program.seen[0]?.path).toBe('/management/rai-policies/strict')
    const rows = out.split('\n').map((line) => line.split(/ {2,}/))
    expect(rows).toContainEqual(['Mode', 'Asynchronous_filter: answers go out at once and are stopped afterwards'])
    expect(rows).toContainEqual(['Judged', 'all messages but those of the system, and results of tools'])
    const head = rows.findIndex(([first]) => first === 'SIDE')
    expect(rows.slice(head, head + 5)).toEqual([
      ['SIDE', 'FILTER', 'FROM', 'WHAT HAPPENS', 'ENGINES', 'NOTE'],
      ['Prompt', 'Hate', 'low', 'block', 'guard, builtin (vote), refuses when none answers'],
      [
        'Prompt',
        'Personally Identifiable Information',
        '-',
        'block IBAN; redact Email; put back in answers',
        'builtin',
        'of Microsoft.DefaultV2',
      ],
      ['Prompt', 'Blocklist offices', '-', 'annotate', '-'],
      ['Completion', 'Protected Material Text', '-', 'block', 'builtin', 'lexical, of Microsoft.DefaultV2'],
    ])
    expect(out).toContain('knows words and phrasings, not meaning')
  })

  test('of one that filters nothing', async () => {
    program.script(() => ({ status: 200, body: makePolicy({ name: 'Microsoft.Nil', type: 'SystemManaged' }) }))
    const { out } = await policy('show', 'Microsoft.Nil')
    expect(out).toContain('It filters nothing.')
    expect(out).not.toContain('words and phrasings')
  })
})

describe('policy create', () => {
  test('sends what the flags say, and leaves the rest to the base policy', async () => {
    program.script(() => ({ status: 201, body: makePolicy() }))
    const { code } = await policy(
      ...['create', 'strict', '--base', 'Microsoft.Nil', '--mode', 'Blocking', '--filter', 'Hate:Prompt:Low:block'],
      ...['--blocklist', 'offices:Prompt', '--topic', 'tax:Completion:annotate', '--messages', 'all'],
      ...['--tool-results', 'yes', '--selectable', 'no'],
    )
    expect(code).toBe(0)
    expect(program.seen).toHaveLength(1)
    expect(program.seen[0]).toMatchObject({ method: 'PUT', path: '/management/rai-policies/strict' })
    expect(program.seen[0]?.headers['if-none-match']).toBe('*')
    expect(body()).toEqual({
      basePolicyName: 'Microsoft.Nil',
      mode: 'Blocking',
      selectable: false,
      scope: { messages: 'all', toolResults: true },
      contentFilters: [{ name: 'Hate', source: 'Prompt', enabled: true, severityThreshold: 'Low', blocking: true }],
      customBlocklists: [{ blocklistName: 'offices', source: 'Prompt', blocking: true }],
      customTopics: [{ topicName: 'tax', source: 'Completion', blocking: false }],
    })
  })

  test('gives engines to the filter before them, and those before the first to all', async () => {
    program.script(() => ({ status: 201, body: makePolicy() }))
    await policy(
      ...['create', 'x', '--on-error', 'closed', '--filter', 'hate:Prompt', '--engine', 'guard', '--engine', 'builtin'],
      ...['--combine', 'vote', '--filter', 'jailbreak'],
    )
    expect(body()).toEqual({
      contentFilters: [
        {
          name: 'Hate',
          source: 'Prompt',
          enabled: true,
          engines: ['guard', 'builtin'],
          combine: 'vote',
          onError: 'closed',
        },
        { name: 'Jailbreak', source: 'Prompt', enabled: true, onError: 'closed' },
      ],
    })
  })

  test('brings types of personal data together', async () => {
    program.script(() => ({ status: 201, body: makePolicy() }))
    const flags = ['--pii', 'Email:Prompt:redact', '--pii', 'IBAN:block', '--restore-redacted', 'yes']
    await policy('create', 'x', ...flags)
    const name = 'Personally Identifiable Information'
    expect(body()).toEqual({
      contentFilters: [
        {
          name,
          source: 'Prompt',
          enabled: true,
          restoresRedacted: true,
          piiTypes: [
            { type: 'Email', action: 'redact' },
            { type: 'IBAN', action: 'block' },
          ],
        },
        { name, source: 'Completion', enabled: true, piiTypes: [{ type: 'IBAN', action: 'block' }] },
      ],
    })
  })

  test('takes a file, also in the shape of the management API of Azure', async () => {
    program.script(() => ({ status: 201, body: makePolicy() }))
    const yaml = join(program.home, 'policy.yaml')
    writeFileSync(yaml, 'name: strict\ncontentFilters:\n  - {name: Hate, source: Prompt, severityThreshold: Low}\n')
    await policy('create', '--file', yaml, '--dry-run')
    expect(program.seen[0]?.path).toBe('/management/rai-policies/strict?dryRun=true')
    expect(body()).toEqual({ contentFilters: [{ name: 'Hate', source: 'Prompt', severityThreshold: 'Low' }] })
    const json = join(program.home, 'policy.json')
    const properties = { type: 'UserManaged', mode: 'Default', contentFilters: [] }
    writeFileSync(json, JSON.stringify({ id: '/x', name: 'strict', type: 'y', systemData: {}, properties }))
    await policy('create', 'STRICT', '--file', json)
    expect(program.seen[1]?.path).toBe('/management/rai-policies/STRICT')
    expect(body()).toEqual(properties)
  })

  test.each([
    ['name: other\n', 'is about "other", not "strict".'],
    ['- 1\n', 'holds no policy: name, basePolicyName, contentFilters.'],
    ['name: [\n', 'Flow sequence in block collection'],
    ['mode: Default\nproperties: {}\n', '"mode" stands beside "properties"; it belongs into it.'],
  ])('refuses the file %p', async (text, message) => {
    program.script(() => ({ status: 500 }))
    const file = join(program.home, 'bad.yaml')
    writeFileSync(file, text)
    const { code, err } = await policy('create', 'strict', '--file', file)
    expect(code).toBe(1)
    expect(err).toContain(file)
    expect(err).toContain(message)
    expect(program.seen).toEqual([])
  })

  test.each([
    [['create', '--filter', 'hate'], 'a name is missing'],
    [['create', 'x', '--filter', 'hatred'], '"hatred" is no filter'],
    [['create', 'x', '--engine', 'guard'], '--filter is missing'],
    [['create', 'x', '--base', 'Mine'], 'Allowed choices are Microsoft.DefaultV2'],
    [['create', 'x', '--restore-redacted', 'yes', '--filter', 'hate'], '--pii is missing'],
    [['create', 'x', '--file', 'f', '--filter', 'hate'], '--file says everything'],
    [['update', 'x'], 'nothing to change was named'],
  ])('%p is wrong usage', async (args, message) => {
    program.script(() => ({ status: 500 }))
    const { code, err } = await policy(...args)
    expect(code).toBe(2)
    expect(err).toContain(message)
    expect(program.seen).toEqual([])
  })

  test('passes on why it is refused, a line for each problem', async () => {
    const details = [
      { code: 'x', target: 'customBlocklists[0].blocklistName', message: 'got "y", expected "offices"' },
      { code: 'x', target: 'contentFilters[0].engines[0]', message: 'got "z", expected "builtin"' },
    ]
    program.script(() => ({ status: 400, body: { error: { code: 'x', message: 'two problems', details } } }))
    const { code, err } = await policy('create', 'x', '--filter', 'hate:Prompt', '--engine', 'z', '--blocklist', 'y')
    expect(code).toBe(1)
    expect(err).toBe(
      'error: customBlocklists[0].blocklistName: got "y", expected "offices"\n' +
        'error: contentFilters[0].engines[0]: got "z", expected "builtin"\n',
    )
  })
})

describe('policy update', () => {
  const current = makePolicy({
    description: 'as it is',
    contentFilters: [
      { name: 'Hate', source: 'Prompt', enabled: true, blocking: false, severityThreshold: 'High' },
      { name: 'Profanity', source: 'Prompt', enabled: true },
      { name: 'Profanity', source: 'Completion', enabled: true },
    ],
    customBlocklists: [{ blocklistName: 'offices', blocking: true, source: 'Prompt' }],
    protectedTexts: [{ name: 'poem', text: 'words' }],
  })

  test('changes what is named and keeps all else, as long as nobody else changed it', async () => {
    program.script(() => ({ status: 200, body: current }))
    const flags = ['--filter', 'hate:Prompt:Low', '--remove-filter', 'profanity:Completion', '--messages', 'all']
    const { code } = await policy('update', 'strict', ...flags, '--blocklist', 'OFFICES:Prompt:annotate')
    expect(code).toBe(0)
    expect(program.seen.map(({ method }) => method)).toEqual(['GET', 'PUT'])
    expect(program.seen[1]?.headers['if-match']).toBe('"7"')
    expect(body()).toEqual({
      description: 'as it is',
      basePolicyName: 'Microsoft.DefaultV2',
      mode: 'Default',
      contentFilters: [
        { name: 'Hate', source: 'Prompt', enabled: true, blocking: false, severityThreshold: 'Low' },
        { name: 'Profanity', source: 'Prompt', enabled: true },
      ],
      customBlocklists: [{ blocklistName: 'OFFICES', blocking: false, source: 'Prompt' }],
      scope: { messages: 'all', toolResults: false, exemptSystem: true },
      promptCheck: 'concurrent',
      spotlighting: false,
      strictAzureChunks: false,
      selectable: true,
      protectedTexts: [{ name: 'poem', text: 'words' }],
    })
  })

  test('takes away on both sides what is on one', async () => {
    program.script(() => ({ status: 200, body: current }))
    await policy('update', 'strict', '--remove-blocklist', 'offices')
    expect(body()).not.toHaveProperty('customBlocklists')
  })

  test('says so when what is to be removed is not there', async () => {
    program.script(() => ({ status: 200, body: current }))
    const { code, err } = await policy('update', 'strict', '--remove-filter', 'sexual')
    expect(code).toBe(1)
    expect(err).toContain('The policy sets no filter "Sexual" there. It sets: Hate, Profanity.')
    expect(program.seen.map(({ method }) => method)).toEqual(['GET'])
  })

  test('a file replaces everything', async () => {
    program.script(() => ({ status: 200, body: current }))
    const file = join(program.home, 'whole.json')
    writeFileSync(file, '{"mode":"Blocking"}')
    await policy('update', 'strict', '--file', file)
    expect(body()).toEqual({ mode: 'Blocking' })
    expect(program.seen[1]?.headers['if-match']).toBe('"7"')
  })
})

test('policy delete', async () => {
  program.script(() => ({ status: 204 }))
  expect(await policy('delete', 'a/b')).toEqual({ code: 0, out: 'Deleted a/b.\n', err: '' })
  expect(program.seen[0]).toMatchObject({ method: 'DELETE', path: '/management/rai-policies/a%2Fb' })
  expect((await policy('delete', 'strict', '--dry-run')).out).toContain('nothing was changed')
  expect(program.seen[1]?.path).toBe('/management/rai-policies/strict?dryRun=true')
})

test('policy choices are what the server says', async () => {
  const body = {
    categories: [
      { name: 'hate', title: 'Hate', kind: 'severity', sources: ['Prompt', 'Completion'] },
      { name: 'custom_blocklists', title: 'Custom Blocklists', kind: 'list', sources: ['Prompt'] },
    ],
    severityThresholds: ['Low', 'High'],
    engines: [
      { name: 'builtin', categories: ['hate'] },
      { name: 'guard', categories: ['hate', 'jailbreak'] },
    ],
    piiTypes: [{ type: 'Email', group: 'contact', describes: 'an address of mail' }],
  }
  program.script(() => ({ status: 200, body }))
  const rows = (await policy('choices')).out.split('\n').map((line) => line.split(/ {2,}/))
  expect(rows).toContainEqual(['hate', 'Hate', 'Prompt, Completion', 'Low, High', 'builtin, guard'])
  expect(rows).toContainEqual(['custom_blocklists', 'Custom Blocklists', 'Prompt', '-', '-'])
  expect(rows).toContainEqual(['Email', 'contact', 'an address of mail'])
  expect(program.seen[0]?.path).toBe('/management/filters')
  expect(JSON.parse((await policy('choices', '-o', 'json')).out)).toEqual(body)
})
