import { describe, expect, test } from 'bun:test'
import { createService } from './create-service.ts'
import { document, findingsOf, readAs, requestsOf, settingsOf, user } from './service.fixture.ts'

const kind = 'openai-moderations'
const result = (categories: object, scores: object = {}, flagged = Object.values(categories).includes(true)) => ({
  flagged,
  categories: { hate: false, violence: false, ...categories },
  category_scores: { hate: 0.001, violence: 0.002, ...scores },
  category_applied_input_types: {},
})
const answer = (...results: unknown[]) => ({ id: 'modr-1', model: 'omni-moderation-latest', results })

describe('answers', () => {
  const answers: [unknown, string][] = [
    [answer(result({})), ''],
    [answer(result({}, { hate: 0.19 })), ''],
    [answer(result({}, { hate: 0.3 })), 'hate:2'],
    [answer(result({}, { hate: 0.6 })), 'hate:4'],
    [answer(result({ hate: true }, { hate: 0.91 })), 'hate:6'],
    [answer(result({ hate: true }, { hate: 0.1 })), 'hate:4'],
    [answer(result({ harassment: true, 'hate/threatening': true }, { 'hate/threatening': 0.95 })), 'hate:6'],
    [answer(result({ 'self-harm/intent': true })), 'self_harm:4'],
    [answer(result({ 'sexual/minors': true })), 'sexual:6'],
    [answer(result({ 'violence/graphic': true, 'illicit/violent': true })), 'violence:4'],
    [answer(result({ illicit: true })), '+illicit'],
    [answer(result({ illicit: null })), ''],
    [answer(result({ brand_new: true, hate: true })), 'hate:4 +brand_new'],
    [answer(result({ brand_new: false })), ''],
    [{ results: [{ flagged: false, categories: { hate: false } }] }, ''],
    [{}, 'refused'],
    [answer(), 'refused'],
    [answer(result({}), result({})), 'refused'],
    [{ results: {} }, 'refused'],
    [{ results: [null] }, 'refused'],
    [answer({ flagged: false }), 'refused'],
    [answer({ flagged: false, categories: {} }), 'refused'],
    [answer({ flagged: false, categories: { weather: false } }), 'refused'],
    [answer({ categories: { hate: false } }), 'refused'],
    [answer({ flagged: 'false', categories: { hate: false } }), 'refused'],
    [answer(result({ hate: 'no' })), 'refused'],
    [answer(result({}, {}, true)), 'refused'],
    [{ error: { message: 'quota', type: 'insufficient_quota' } }, 'refused'],
    [{ error: { message: 'x' }, results: [result({})] }, 'refused'],
  ]
  for (const [given, expected] of answers) {
    test(JSON.stringify(given), () => {
      expect(readAs(requestsOf(kind, [user('hello')]), given)).toBe(expected)
    })
  }
})

test('one request for all texts, one result for each', () => {
  const asks = requestsOf(kind, [user('u'), document('d'), user('v')])
  expect(asks.map(({ path, body }) => ({ path, body }))).toEqual([
    { path: '/v1/moderations', body: { model: 'omni-moderation-latest', input: ['u\n\nv', 'd'] } },
  ])
  expect(findingsOf(asks[0], answer(result({}), result({ violence: true })))).toEqual([
    { category: 'violence', severity: 4, rule: 'violence', score: 0.002, span: { segment: 1, start: 0, end: 1 } },
  ])
  expect(requestsOf(kind, [user('u')], { options: { model: 'm' } })[0]?.body).toEqual({ model: 'm', input: 'u' })
  expect(requestsOf(kind, [user('  ')])).toEqual([])
})

test('calibration and labels are the operator’s', () => {
  const options = {
    calibration: { low: 0.01, medium: 0.02, high: 0.03 },
    labels: { illicit: 'custom_topics', hate: 'none' },
  }
  const asks = requestsOf(kind, [user('u')], { options })
  expect(readAs(asks, answer(result({ illicit: true }, { violence: 0.02, hate: 0.9 })))).toBe(
    'violence:4 custom_topics(illicit):7 +hate',
  )
})

describe('http', () => {
  test('the address is taken as it is', () => {
    const [only] = requestsOf('http', [user('u')])
    expect(only).toMatchObject({ path: '/check?tenant=1', body: { input: 'u' } })
    const make = (options = {}, credential = 'key') =>
      createService('http', settingsOf('http', { options, credential }))
    expect(make().auth).toEqual({ kind: 'header', name: 'authorization', prefix: 'Bearer ' })
    expect(make({ auth: 'x-api-key' }).auth).toEqual({ kind: 'header', name: 'x-api-key', prefix: '' })
    expect(createService('http', { ...settingsOf('http', {}), credential: undefined }).auth).toEqual({ kind: 'none' })
  })

  test('our own names are understood, and how they are written is not minded', () => {
    const read = (segments: Parameters<typeof requestsOf>[1], categories: object) =>
      readAs(requestsOf('http', segments), { results: [{ flagged: true, categories }] })
    expect(read([user('u')], { self_harm: true, Jailbreak: true, PII: true, profanity: true })).toBe(
      'self_harm:4 jailbreak:7 personally_identifiable_information:7 profanity:7',
    )
    expect(read([document('d')], { 'prompt injection': true })).toBe('indirect_attack:7')
    expect(read([user('u')], { weather: true })).toBe('+weather')
  })
})
