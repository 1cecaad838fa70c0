import { describe, expect, test } from 'bun:test'
import { createService } from './create-service.ts'
import { assistant, document, findingsOf, readAs, requestsOf, settingsOf, user } from './service.fixture.ts'

const kind = 'azure-content-safety'
const harms = ['hate', 'sexual', 'violence', 'self_harm'] as const
const rows = (hate: unknown, sexual: unknown, violence: unknown, selfHarm: unknown) => ({
  categoriesAnalysis: [
    { category: 'Hate', severity: hate },
    { category: 'SelfHarm', severity: selfHarm },
    { category: 'Sexual', severity: sexual },
    { category: 'Violence', severity: violence },
  ],
})

describe('text:analyze', () => {
  const answers: [unknown, string][] = [
    [rows(0, 0, 0, 0), ''],
    [rows(1, 1, 1, 1), ''],
    [rows(2, 0, 0, 0), 'hate:2'],
    [rows(0, 7, 3, 5), 'sexual:7 violence:3 self_harm:5'],
    [{ ...rows(0, 0, 0, 0), blocklistsMatch: [] }, ''],
    [{ ...rows(0, 0, 0, 0), blocklistsMatch: null }, ''],
    [
      {
        ...rows(6, 0, 0, 0),
        blocklistsMatch: [{ blocklistName: 'mine', blocklistItemId: 'i1', blocklistItemText: 'x' }],
      },
      'hate:6 custom_blocklists(mine):7',
    ],
    [{ ...rows(4, 0, 0, 0), error: null }, 'hate:4'],
    [{ ...rows(4, 0, 0, 0), newField: { a: 1 } }, 'hate:4'],
    [{}, 'refused'],
    [{ categoriesAnalysis: [] }, 'refused'],
    [{ categoriesAnalysis: null }, 'refused'],
    [{ categoriesAnalysis: 'safe' }, 'refused'],
    [{ categoriesAnalysis: rows(0, 0, 0, 0).categoriesAnalysis.slice(1) }, 'refused'],
    [rows(8, 0, 0, 0), 'refused'],
    [rows(-1, 0, 0, 0), 'refused'],
    [rows('0', 0, 0, 0), 'refused'],
    [rows(null, 0, 0, 0), 'refused'],
    [rows(0.5, 0, 0, 0), 'refused'],
    [{ error: { code: 'InternalError', message: 'x' } }, 'refused'],
    [{ ...rows(0, 0, 0, 0), error: { code: 'x' } }, 'refused'],
    [{ statusCode: 429, message: 'slow down' }, 'refused'],
  ]
  for (const [answer, expected] of answers) {
    test(JSON.stringify(answer), () => {
      expect(readAs(requestsOf(kind, [user('hello')], { categories: harms }), answer)).toBe(expected)
    })
  }

  test('the request', () => {
    const asks = requestsOf(kind, [user('hello'), user('you')], {
      categories: ['hate', 'self_harm', 'custom_blocklists'],
      options: { blocklists: ['mine'] },
    })
    expect(asks.map(({ path, body }) => ({ path, body }))).toEqual([
      {
        path: '/contentsafety/text:analyze?api-version=2024-09-01',
        body: {
          text: 'hello\n\nyou',
          outputType: 'EightSeverityLevels',
          haltOnBlocklistHit: false,
          categories: ['Hate', 'SelfHarm'],
          blocklistNames: ['mine'],
        },
      },
    ])
  })

  test('lists without names are not asked for', () => {
    expect(requestsOf(kind, [user('x')], { categories: ['custom_blocklists'] })).toEqual([])
  })

  test('a finding in the only text has its place', () => {
    const [only] = requestsOf(kind, [user(' '), user('hello')], { categories: ['hate'] })
    expect(findingsOf(only, rows(6, 0, 0, 0))[0]?.span).toEqual({ segment: 1, start: 0, end: 5 })
  })
})

describe('text:shieldPrompt', () => {
  const both = { categories: ['jailbreak', 'indirect_attack'] } as const
  const answer = (prompt: unknown, ...documents: unknown[]) => ({
    userPromptAnalysis: { attackDetected: prompt },
    documentsAnalysis: documents.map((attackDetected) => ({ attackDetected })),
  })

  test('one request for prompt and documents', () => {
    const asks = requestsOf(kind, [user('u'), document('d1'), { role: 'tool', text: 'd2' }], both)
    expect(asks.map(({ path, body }) => ({ path, body }))).toEqual([
      {
        path: '/contentsafety/text:shieldPrompt?api-version=2024-09-01',
        body: { userPrompt: 'u', documents: ['d1', 'd2'] },
      },
    ])
    expect(readAs(asks, answer(false, false, false))).toBe('')
    expect(readAs(asks, answer(true, false, true))).toBe('jailbreak:7 indirect_attack:7')
    expect(findingsOf(asks[0], answer(false, false, true))[0]?.span).toEqual({ segment: 2, start: 0, end: 2 })
    expect(readAs(asks, answer(false, false))).toBe('refused')
    expect(readAs(asks, answer('no', false, false))).toBe('refused')
    expect(readAs(asks, { documentsAnalysis: [] })).toBe('refused')
    expect(readAs(asks, { userPromptAnalysis: null, documentsAnalysis: null })).toBe('refused')
  })

  test('only what is asked is sent', () => {
    const segments = [user('u'), document('d')]
    expect(requestsOf(kind, segments, { categories: ['jailbreak'] }).map(({ body }) => body)).toEqual([
      { userPrompt: 'u' },
    ])
    expect(requestsOf(kind, segments, { categories: ['indirect_attack'] }).map(({ body }) => body)).toEqual([
      { documents: ['d'] },
    ])
    expect(requestsOf(kind, [user('u')], { categories: ['indirect_attack'] })).toEqual([])
    expect(requestsOf(kind, [assistant('a')], { ...both, source: 'Completion' })).toEqual([])
  })

  test('five documents and 10,000 characters a request', () => {
    const sizes = (texts: string[]) =>
      requestsOf(kind, texts.map(document), { categories: ['indirect_attack'] }).map(
        ({ body }) => (body.documents as string[]).length,
      )
    expect(sizes(['a', 'b', 'c', 'd', 'e', 'f'])).toEqual([5, 1])
    expect(sizes(['a'.repeat(6000), 'b'.repeat(6000), 'c'])).toEqual([1, 2])
  })
})

describe('protected material', () => {
  const asked = { categories: ['protected_material_text', 'protected_material_code'], source: 'Completion' } as const

  test('code is looked up whole, texts in overlapping pieces, short ones not at all', () => {
    const paths = (length: number) =>
      requestsOf(kind, [assistant('x'.repeat(length))], asked).map(({ path, body }) => [
        path.replace('/contentsafety/text:', ''),
        String(body.text ?? body.code).length,
      ])
    const [text, code] = [
      'detectProtectedMaterial?api-version=2024-09-01',
      'detectProtectedMaterialForCode?api-version=2024-09-15-preview',
    ]
    expect(paths(109)).toEqual([[code, 109]])
    expect(paths(110)).toEqual([
      [text, 110],
      [code, 110],
    ])
    expect(paths(2000)).toEqual([
      [text, 1000],
      [text, 1000],
      [text, 440],
      [code, 2000],
    ])
    expect(requestsOf(kind, [user('x'.repeat(200))], { ...asked, source: 'Prompt' })).toEqual([])
  })

  test('what is found has its place, and code its citation', () => {
    const [first, second, , code] = requestsOf(kind, [assistant('x'.repeat(2000))], asked)
    const detected = { protectedMaterialAnalysis: { detected: true } }
    expect(first?.read(detected).findings[0]?.span).toEqual({ segment: 0, start: 0, end: 1000 })
    expect(second?.read(detected).findings[0]?.span).toEqual({ segment: 0, start: 780, end: 1780 })
    const cited = {
      protectedMaterialAnalysis: {
        detected: true,
        codeCitations: [{ license: 'MIT', sourceUrls: ['https://example.com/a', 'https://example.com/b'] }],
      },
    }
    expect(code?.read(cited).findings[0]).toMatchObject({
      category: 'protected_material_code',
      severity: 7,
      annotation: { citation: { URL: 'https://example.com/a', license: 'MIT' } },
    })
    expect(readAs([code!], detected)).toBe('protected_material_code:7')
    expect(readAs([first!], { protectedMaterialAnalysis: { detected: false } })).toBe('')
    expect(readAs([first!], { protectedMaterialAnalysis: { detected: 'no' } })).toBe('refused')
    expect(readAs([first!], { detected: false })).toBe('refused')
  })
})

describe('text:detectGroundedness', () => {
  const asked = { categories: ['ungrounded_material'], source: 'Completion' } as const

  test('the question, the documents and the answer go along', () => {
    const asks = requestsOf(kind, [user('q'), document('d1'), document('d2'), assistant('a b')], asked)
    expect(asks.map(({ path, body }) => ({ path, body }))).toEqual([
      {
        path: '/contentsafety/text:detectGroundedness?api-version=2024-09-15-preview',
        body: {
          domain: 'Generic',
          task: 'QnA',
          qna: { query: 'q' },
          text: 'a b',
          groundingSources: ['d1', 'd2'],
          reasoning: false,
        },
      },
    ])
    const found = {
      ungroundedDetected: true,
      ungroundedPercentage: 0.5,
      ungroundedDetails: [
        { text: 'b', offset: { utf8: 2, utf16: 2, codePoint: 2 }, length: { utf8: 1, utf16: 1, codePoint: 1 } },
      ],
    }
    expect(asks[0]?.read(found).findings).toEqual([
      {
        category: 'ungrounded_material',
        severity: 7,
        rule: 'ungroundedDetails',
        span: { segment: 3, start: 2, end: 3 },
      },
    ])
    expect(readAs(asks, { ungroundedDetected: true, ungroundedDetails: [{ text: 'b' }] })).toBe('ungrounded_material:7')
    expect(readAs(asks, { ungroundedDetected: true })).toBe('ungrounded_material:7')
    expect(readAs(asks, { ungroundedDetected: false, ungroundedPercentage: 0, ungroundedDetails: [] })).toBe('')
    expect(readAs(asks, { ungroundedPercentage: 0 })).toBe('refused')
  })

  test('without a question it is a summary; without documents nothing is asked', () => {
    const [only] = requestsOf(kind, [document('d'), assistant('a')], asked)
    expect(only?.body).toMatchObject({ task: 'Summarization' })
    expect(only?.body).not.toHaveProperty('qna')
    expect(requestsOf(kind, [user('q'), assistant('a')], asked)).toEqual([])
  })

  test('more documents than the service takes are no verdict', () => {
    expect(() => requestsOf(kind, [document('d'.repeat(55_001)), assistant('a')], asked)).toThrow('55000 characters')
  })
})

test('address, version and credential', () => {
  const make = (url: string, options = {}) => createService(kind, settingsOf(kind, { url, options }))
  expect(make('https://r.example.com')).toMatchObject({
    origin: 'https://r.example.com',
    label: 'azure-content-safety/2024-09-01',
    auth: { kind: 'header', name: 'ocp-apim-subscription-key', prefix: '' },
  })
  expect(make('https://r.example.com', { auth: 'bearer' }).auth).toEqual({
    kind: 'header',
    name: 'authorization',
    prefix: 'Bearer ',
  })
  const [only] = requestsOf(kind, [user('x')], {
    url: 'https://proxy.example.com/team/contentsafety/',
    categories: ['hate'],
  })
  expect(only?.path).toBe('/team/contentsafety/text:analyze?api-version=2024-09-01')
})
