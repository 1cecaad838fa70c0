import { describe, expect, test } from 'bun:test'
import { assistant, document, findingsOf, readAs, requestsOf, user } from './service.fixture.ts'

const kind = 'lakera'
const detector = (detector_type: unknown, detected: unknown, more: object = {}) => ({
  detector_type,
  detected,
  detector_id: 'd',
  ...more,
})
const answer = (...breakdown: unknown[]) => ({
  flagged: JSON.stringify(breakdown).includes('"detected":true'),
  breakdown,
  payload: [],
  metadata: { request_uuid: 'r' },
})

describe('answers', () => {
  const answers: [unknown, string][] = [
    [answer(detector('prompt_attack', false)), ''],
    [answer(detector('prompt_attack', false), detector('pii/email', false)), ''],
    [answer(detector('prompt_attack', true)), 'jailbreak:7'],
    [answer(detector('moderated_content/hate', true)), 'hate:4'],
    [answer(detector('moderated_content/hate', true, { result: 'l1_confident' })), 'hate:6'],
    [answer(detector('moderated_content/sexual', true, { result: 'l2_very_likely' })), 'sexual:6'],
    [answer(detector('moderated_content/violence', true, { result: 'l4_less_likely' })), 'violence:4'],
    [answer(detector('moderated_content/weapons', true)), 'violence:4'],
    [answer(detector('moderated_content/self-harm', true)), 'self_harm:4'],
    [answer(detector('moderated_content/profanity', true)), 'profanity:7'],
    [answer(detector('pii/credit_card', true)), 'personally_identifiable_information(credit_card):7'],
    [answer(detector('pii/custom_badge', true)), 'personally_identifiable_information(custom_badge):7'],
    [answer(detector('moderated_content/crime', true)), '+moderated_content/crime'],
    [answer(detector('unknown_links', true)), '+unknown_links'],
    [answer(detector('brand_new', true)), '+brand_new'],
    [
      answer(detector('prompt_attack', true), detector('pii/email', true)),
      'jailbreak:7 personally_identifiable_information(email):7',
    ],
    [{ ...answer(detector('prompt_attack', false)), payload: null }, ''],
    [{}, 'refused'],
    [{ flagged: false }, 'refused'],
    [{ flagged: false, breakdown: [] }, 'refused'],
    [{ flagged: 'no', breakdown: [detector('prompt_attack', false)] }, 'refused'],
    [{ flagged: true, breakdown: [detector('prompt_attack', false)] }, 'refused'],
    [answer(detector('prompt_attack', 'no')), 'refused'],
    [answer(detector(undefined, true)), 'refused'],
    [answer('prompt_attack'), 'refused'],
    [{ error: 'invalid project' }, 'refused'],
  ]
  for (const [given, expected] of answers) {
    test(JSON.stringify(given), () => {
      expect(readAs(requestsOf(kind, [user('hello')]), given)).toBe(expected)
    })
  }

  test('matches have their places, which the service counts in code points', () => {
    const [only] = requestsOf(kind, [user('one'), user('\u{1f600} mail a@b.c')])
    const found = {
      ...answer(detector('pii/email', true)),
      payload: [{ start: 12, end: 17, text: 'a@b.c', detector_type: 'pii/email', labels: [] }],
    }
    expect(findingsOf(only, found)).toEqual([
      {
        category: 'personally_identifiable_information',
        severity: 7,
        id: 'email',
        rule: 'pii/email',
        span: { segment: 1, start: 8, end: 13 },
      },
    ])
  })
})

test('each text is a message by itself', () => {
  const body = (role: string, content: string) => ({
    messages: [{ role, content }],
    project_id: 'project-1',
    breakdown: true,
    payload: true,
  })
  const options = { projectId: 'project-1' }
  expect(requestsOf(kind, [user('u'), document('d')], { options }).map(({ path, body }) => ({ path, body }))).toEqual([
    { path: '/v2/guard', body: body('user', 'u') },
    { path: '/v2/guard', body: body('user', 'd') },
  ])
  expect(
    requestsOf(kind, [user('q'), assistant('a')], { options, source: 'Completion' }).map((each) => each.body),
  ).toEqual([body('assistant', 'a')])
  expect(requestsOf(kind, [user('u')])[0]?.body).not.toHaveProperty('project_id')
})
