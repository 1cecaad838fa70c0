import { beforeEach, describe, expect, test } from 'bun:test'
import { Fault } from '../../../core/fault.ts'
import type { JsonObject } from '../../../core/json.ts'
import type { ServiceAnswer, ServiceRequest, ServiceRoute } from '../../../core/service-route.ts'
import { openWordJudge, type WordJudge } from '../judge.fixture.ts'
import { memoryBlocklists } from './blocklists.fixture.ts'
import { openContentSafety } from './open.ts'

let words: WordJudge
let routes: readonly ServiceRoute[]

beforeEach(() => {
  words = openWordJudge()
  routes = openContentSafety({ judge: words.judge, blocklists: memoryBlocklists() }).routes
})

type Change = Partial<ServiceRequest>

const owner = { keyName: 'key1', grant: undefined, expiresAt: undefined }
const guest = {
  keyName: 'ci',
  grant: { deployments: undefined, tokensPerMinute: undefined, requestsPerMinute: undefined, budgets: [] },
  expiresAt: undefined,
}

function call(
  method: ServiceRoute['method'],
  path: string,
  body: JsonObject = {},
  change: Change = {},
): Promise<ServiceAnswer> {
  const route = routes.find((known) => known.method === method && known.path === path)
  if (!route) throw new Error(`no route ${method} ${path}`)
  const url = `https://ponto.test${path}?api-version=2024-09-01&${change.query ?? ''}`
  return route.answer({
    params: {},
    query: new URL(url).searchParams,
    body,
    caller: owner,
    requestId: 'r',
    header: () => null,
    url,
    signal: new AbortController().signal,
    ...change,
  })
}

const analyse = (verb: string, body: JsonObject, change?: Change) =>
  call('POST', `/contentsafety/text:${verb}`, body, change)

async function refusal(answer: Promise<ServiceAnswer>): Promise<Fault> {
  const fault = await answer.then(
    () => undefined,
    (error) => error,
  )
  if (!(fault instanceof Fault)) throw new Error(`not refused: ${fault}`)
  return fault
}

describe('text:analyze', () => {
  test('tells four categories in four levels, or eight', async () => {
    const text = 'hate=5 hate=3 violence=1 sexual=7'
    const four = await analyse('analyze', { text })
    expect(four.body).toEqual({
      blocklistsMatch: [],
      categoriesAnalysis: [
        { category: 'Hate', severity: 4 },
        { category: 'SelfHarm', severity: 0 },
        { category: 'Sexual', severity: 6 },
        { category: 'Violence', severity: 0 },
      ],
    })
    expect(four.headers).toEqual({ 'x-content-filter-engine': 'words/1' })
    const eight = await analyse('analyze', {
      text,
      categories: ['Violence', 'Hate'],
      outputType: 'EightSeverityLevels',
    })
    expect(eight.body?.categoriesAnalysis).toEqual([
      { category: 'Hate', severity: 5 },
      { category: 'Violence', severity: 1 },
    ])
    expect([...(words.asked[1]?.question.categories ?? [])].sort()).toEqual(['hate', 'violence'])
  })

  test('tells which terms of which lists a text has, and may leave it at that', async () => {
    await call('PATCH', one, {}, { params: { blocklistName: 'Rivals' } })
    await call('POST', `${one}:addOrUpdateBlocklistItems`, items('acme', 'globex'), {
      params: { blocklistName: 'Rivals' },
    })
    const asked = { text: 'hate=5 acme', blocklistNames: ['rivals'] }
    const hit = [{ blocklistName: 'Rivals', blocklistItemId: 'item-1', blocklistItemText: 'acme' }]
    expect((await analyse('analyze', asked)).body).toMatchObject({
      blocklistsMatch: hit,
      categoriesAnalysis: [{ category: 'Hate', severity: 4 }, {}, {}, {}],
    })
    words.asked.length = 0
    expect((await analyse('analyze', { ...asked, haltOnBlocklistHit: true })).body).toEqual({
      blocklistsMatch: hit,
      categoriesAnalysis: [],
    })
    expect(words.asked).toEqual([])
    const clean = await analyse('analyze', { ...asked, text: 'hate=5', haltOnBlocklistHit: true })
    expect(clean.body).toMatchObject({ blocklistsMatch: [], categoriesAnalysis: [{ severity: 4 }, {}, {}, {}] })
  })

  test('counts code points, to the last', async () => {
    const longest = '😀'.repeat(10_000)
    expect((await analyse('analyze', { text: longest })).status).toBe(200)
    expect((await refusal(analyse('analyze', { text: `${longest}x` }))).message).toContain('got 10001 characters')
  })

  test.each<[string, JsonObject, string]>([
    ['no text', {}, 'text'],
    ['an empty text', { text: '' }, 'text'],
    ['a category of nobody', { text: 'a', categories: ['Rudeness'] }, 'categories[0]'],
    ['a type of output of nobody', { text: 'a', outputType: 'Three' }, 'outputType'],
    ['an unknown list', { text: 'a', blocklistNames: ['gone'] }, 'blocklistNames[0]'],
    ['a misspelt field', { text: 'a', blocklistName: ['x'] }, 'blocklistName'],
  ])('refuses %s, naming the field', async (_name, body, param) => {
    const fault = await refusal(analyse('analyze', body))
    expect(fault.code).toBe('invalid-request')
    expect(fault.detail.param).toBe(param)
  })

  test('does not repeat a text that is too long', async () => {
    expect((await refusal(analyse('analyze', { text: 'secret '.repeat(5000) }))).message).not.toContain('secret')
  })
})

describe('text:shieldPrompt', () => {
  test('judges the prompt and each document for what each may hold', async () => {
    const body = { userPrompt: 'jailbreak=7 indirect_attack=7', documents: ['jailbreak=7', 'indirect_attack=7'] }
    expect((await analyse('shieldPrompt', body)).body).toEqual({
      userPromptAnalysis: { attackDetected: true },
      documentsAnalysis: [{ attackDetected: false }, { attackDetected: true }],
    })
    expect(words.asked.map(({ roles }) => roles)).toEqual([['user'], ['document'], ['document']])
  })

  test('takes either alone', async () => {
    expect((await analyse('shieldPrompt', { userPrompt: 'hi' })).body).toEqual({
      userPromptAnalysis: { attackDetected: false },
      documentsAnalysis: [],
    })
    expect((await analyse('shieldPrompt', { documents: ['hi'] })).body).toEqual({
      documentsAnalysis: [{ attackDetected: false }],
    })
  })

  test.each<[string, JsonObject, string]>([
    ['nothing to judge', {}, 'userPrompt'],
    ['a prompt too long', { userPrompt: 'x'.repeat(10_001) }, 'userPrompt'],
    ['six documents', { documents: Array(6).fill('x') }, 'documents'],
    ['documents too long together', { documents: ['x'.repeat(5000), 'x'.repeat(5001)] }, 'documents'],
    ['an empty document', { documents: ['x', ''] }, 'documents[1]'],
  ])('refuses %s', async (_name, body, param) => {
    expect((await refusal(analyse('shieldPrompt', body))).detail.param).toBe(param)
  })
})

describe('protected material', () => {
  test('of texts is there or not', async () => {
    const text = 'x'.repeat(110)
    const detected = async (text: string) => (await analyse('detectProtectedMaterial', { text })).body
    expect(await detected(text)).toEqual({ protectedMaterialAnalysis: { detected: false } })
    expect(await detected(`${text} protected_material_text=7`)).toEqual({
      protectedMaterialAnalysis: { detected: true },
    })
    expect((await refusal(analyse('detectProtectedMaterial', { text: 'x'.repeat(109) }))).detail.param).toBe('text')
    expect((await refusal(analyse('detectProtectedMaterial', { text: 'x'.repeat(1001) }))).detail.param).toBe('text')
  })

  test('of code names its sources by licence', async () => {
    const source = (URL: string, license: string) => ({
      category: 'protected_material_code' as const,
      severity: 7,
      annotation: { citation: { URL, license } },
    })
    const findings = [
      source('https://a.test/1', 'MIT'),
      source('https://a.test/2', 'MIT'),
      source('https://b.test', 'GPL-2.0'),
    ]
    const { routes } = openContentSafety({
      judge: async () => ({ findings: [...findings, ...findings], label: 'index/1' }),
      blocklists: memoryBlocklists(),
    })
    const route = routes.find(({ path }) => path.endsWith(':detectProtectedMaterialForCode')) as ServiceRoute
    const answer = await route.answer({ body: { code: 'x' } } as unknown as ServiceRequest)
    expect(answer.body).toEqual({
      protectedMaterialAnalysis: {
        detected: true,
        codeCitations: [
          { license: 'MIT', sourceUrls: ['https://a.test/1', 'https://a.test/2'] },
          { license: 'GPL-2.0', sourceUrls: ['https://b.test'] },
        ],
      },
    })
  })
})

describe('text:detectGroundedness', () => {
  test('tells which parts of the answer have no ground, and where, in every unit', async () => {
    const text = '😀 é ungrounded_material=7 fine'
    const body = { text, groundingSources: ['ungrounded_material=7', 'b'], qna: { query: 'why?' }, task: 'QnA' }
    expect((await analyse('detectGroundedness', body)).body).toEqual({
      ungroundedDetected: true,
      ungroundedPercentage: Math.round((21 / text.length) * 10_000) / 10_000,
      ungroundedDetails: [
        {
          text: 'ungrounded_material=7',
          offset: { utf8: 8, utf16: 5, codePoint: 4 },
          length: { utf8: 21, utf16: 21, codePoint: 21 },
        },
      ],
    })
    expect(words.asked[0]?.roles).toEqual(['user', 'document', 'document', 'assistant'])
  })

  test('finds nothing wrong with an answer that keeps to its sources', async () => {
    expect((await analyse('detectGroundedness', { text: 'a', groundingSources: ['a'] })).body).toEqual({
      ungroundedDetected: false,
      ungroundedPercentage: 0,
      ungroundedDetails: [],
    })
  })

  test.each<[string, JsonObject, string]>([
    ['no sources', { text: 'a', groundingSources: [] }, 'groundingSources'],
    ['reasons asked for', { text: 'a', groundingSources: ['a'], reasoning: true }, 'reasoning'],
    ['sources too long', { text: 'a', groundingSources: ['x'.repeat(55_001)] }, 'groundingSources'],
    ['an answer too long', { text: 'x'.repeat(7501), groundingSources: ['x'] }, 'text'],
  ])('refuses %s', async (_name, body, param) => {
    expect((await refusal(analyse('detectGroundedness', body))).detail.param).toBe(param)
  })
})

const base = '/contentsafety/text/blocklists'
const one = `${base}/{blocklistName}`
const named = (blocklistName: string, more: Record<string, string> = {}): Change => ({
  params: { blocklistName, ...more },
})
const items = (...texts: string[]): JsonObject => ({ blocklistItems: texts.map((text) => ({ text })) })

describe('blocklists', () => {
  test('are made, changed, listed and deleted', async () => {
    expect(await call('PATCH', one, { description: 'who' }, named('b'))).toEqual({
      status: 201,
      body: { blocklistName: 'b', description: 'who' },
    })
    expect(await call('PATCH', one, { blocklistName: 'b' }, named('b'))).toMatchObject({
      status: 200,
      body: { description: 'who' },
    })
    expect((await call('PATCH', one, { description: null }, named('b'))).body).toEqual({ blocklistName: 'b' })
    await call('PATCH', one, {}, named('a'))
    expect((await call('GET', base)).body).toEqual({ value: [{ blocklistName: 'a' }, { blocklistName: 'b' }] })
    expect(await call('DELETE', one, {}, named('a'))).toEqual({ status: 204 })
    expect((await refusal(call('DELETE', one, {}, named('a')))).code).toBe('not-found')
    expect((await refusal(call('GET', one, {}, named('a')))).status).toBe(404)
  })

  test('keep their items when they are changed, and an item its id', async () => {
    await call('PATCH', one, {}, named('a'))
    const add = `${one}:addOrUpdateBlocklistItems`
    const first = await call('POST', add, items('x', 'y', 'x'), named('a'))
    expect(first.body).toEqual({
      blocklistItems: [
        { blocklistItemId: 'item-1', text: 'x' },
        { blocklistItemId: 'item-2', text: 'y' },
        { blocklistItemId: 'item-1', text: 'x' },
      ],
    })
    const again: JsonObject = {
      blocklistItems: [
        { text: 'x', description: 'why' },
        { text: 'x', isRegex: true },
      ],
    }
    expect((await call('POST', add, again, named('a'))).body).toEqual({
      blocklistItems: [
        { blocklistItemId: 'item-1', description: 'why', text: 'x' },
        { blocklistItemId: 'item-3', text: 'x', isRegex: true },
      ],
    })
    await call('PATCH', one, { description: 'new' }, named('a'))
    const item = `${one}/blocklistItems/{blocklistItemId}`
    expect((await call('GET', item, {}, named('a', { blocklistItemId: 'item-2' }))).body).toMatchObject({ text: 'y' })

    const removeOf = (...ids: string[]) =>
      call('POST', `${one}:removeBlocklistItems`, { blocklistItemIds: ids }, named('a'))
    const fault = await refusal(removeOf('item-1', 'gone'))
    expect(fault).toMatchObject({ code: 'not-found', detail: { param: 'blocklistItemIds[1]' } })
    expect(await removeOf('item-1', 'item-2')).toEqual({ status: 204 })
    const left = await call('GET', `${one}/blocklistItems`, {}, named('a'))
    expect(left.body?.value).toEqual([{ blocklistItemId: 'item-3', text: 'x', isRegex: true }])
  })

  test('are read in pages that lead from one to the next', async () => {
    await call('PATCH', one, {}, named('a'))
    const texts = Array.from({ length: 7 }, (_, index) => `t${index}`)
    await call('POST', `${one}:addOrUpdateBlocklistItems`, items(...texts), named('a'))
    const read = async (query: string) => {
      const pages: JsonObject[][] = []
      let next: string | undefined = query
      while (next !== undefined) {
        const change: Change = { ...named('a'), query: new URLSearchParams(next), url: `https://ponto.test/x?${next}` }
        const { body } = await call('GET', `${one}/blocklistItems`, {}, change)
        pages.push(body?.value as JsonObject[])
        next = typeof body?.nextLink === 'string' ? new URL(body.nextLink).search.slice(1) : undefined
      }
      return pages.map((page) => page.map(({ text }) => text))
    }
    expect(await read('')).toEqual([texts])
    expect(await read('maxpagesize=3')).toEqual([texts.slice(0, 3), texts.slice(3, 6), texts.slice(6)])
    expect(await read('maxpagesize=2&top=5&skip=1')).toEqual([['t1', 't2'], ['t3', 't4'], ['t5']])
    expect(await read('maxpagesize=7')).toEqual([texts])
    const change: Change = { ...named('a'), query: new URLSearchParams('top=-1') }
    expect((await refusal(call('GET', `${one}/blocklistItems`, {}, change))).detail.param).toBe('top')
  })

  test.each<[string, string, JsonObject, string]>([
    ['a name with a slash', 'a/b', {}, 'blocklistName'],
    ['a name too long', 'x'.repeat(65), {}, 'blocklistName'],
    ['two names', 'a', { blocklistName: 'b' }, 'blocklistName'],
    ['a description too long', 'a', { description: 'x'.repeat(1025) }, 'description'],
  ])('refuse %s', async (_name, name, body, param) => {
    expect(await refusal(call('PATCH', one, body, named(name)))).toMatchObject({ status: 400, detail: { param } })
  })

  test('refuse items that nothing could match, or too many of them', async () => {
    await call('PATCH', one, {}, named('a'))
    const add = (body: JsonObject) => refusal(call('POST', `${one}:addOrUpdateBlocklistItems`, body, named('a')))
    expect((await add(items('ok', ''))).detail.param).toBe('blocklistItems[1].text')
    expect((await add(items(' ')))?.detail.param).toBe('blocklistItems[0].text')
    expect((await add(items('\ud800')))?.detail.param).toBe('blocklistItems[0].text')
    expect((await add(items('x'.repeat(129)))).detail.param).toBe('blocklistItems[0].text')
    expect((await add(items(...Array(101).fill('x')))).detail.param).toBe('blocklistItems')
    expect((await add({})).detail.param).toBe('blocklistItems')
  })

  test('are not for keys that were made for somebody, whose texts are judged all the same', async () => {
    await call('PATCH', one, {}, named('a'))
    for (const route of routes.filter(({ path }) => path.startsWith(base))) {
      const fault = await refusal(call(route.method, route.path, items('x'), { ...named('a'), caller: guest }))
      expect(fault.code).toBe('forbidden')
    }
    expect((await analyse('analyze', { text: 'hi' }, { caller: guest })).status).toBe(200)
    const using = analyse('analyze', { text: 'hi', blocklistNames: ['a'] }, { caller: guest })
    expect((await refusal(using)).code).toBe('forbidden')
  })
})
