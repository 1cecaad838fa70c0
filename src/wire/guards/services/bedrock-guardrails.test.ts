import { describe, expect, test } from 'bun:test'
import { createService } from './create-service.ts'
import { assistant, document, findingsOf, readAs, requestsOf, settingsOf, user } from './service.fixture.ts'

const kind = 'bedrock-guardrails'
const options = { guardrailId: 'gr1', guardrailVersion: '3', region: 'eu-central-1' }
const intervened = (assessment: object) => ({
  action: 'GUARDRAIL_INTERVENED',
  outputs: [{ text: 'no' }],
  assessments: [assessment],
})
const filter = (type: string, confidence: unknown, more: object = {}) =>
  intervened({ contentPolicy: { filters: [{ type, confidence, filterStrength: 'HIGH', action: 'BLOCKED', ...more }] } })

describe('answers', () => {
  const answers: [unknown, string][] = [
    [{ action: 'NONE', outputs: [], assessments: [{}] }, ''],
    [{ action: 'NONE', outputs: [], assessments: [], usage: {} }, ''],
    [{ action: 'NONE', assessments: [{ contentPolicy: { filters: [] }, topicPolicy: null }] }, ''],
    [filter('HATE', 'LOW'), 'hate:2'],
    [filter('INSULTS', 'MEDIUM'), 'hate:4'],
    [filter('SEXUAL', 'HIGH'), 'sexual:6'],
    [filter('VIOLENCE', 'HIGH', { detected: true, action: 'NONE' }), 'violence:6'],
    [filter('PROMPT_ATTACK', 'HIGH'), 'jailbreak:7'],
    [filter('MISCONDUCT', 'HIGH'), '+MISCONDUCT'],
    [filter('SOMETHING_NEW', 'HIGH'), '+SOMETHING_NEW'],
    [
      {
        action: 'NONE',
        assessments: [{ contentPolicy: { filters: [{ type: 'HATE', confidence: 'LOW', detected: false }] } }],
      },
      '',
    ],
    [
      intervened({ topicPolicy: { topics: [{ name: 'Tax', type: 'DENY', action: 'BLOCKED' }] } }),
      'custom_topics(Tax):7',
    ],
    [
      intervened({
        wordPolicy: {
          customWords: [{ match: 'secret', action: 'BLOCKED' }],
          managedWordLists: [{ match: 'x', type: 'PROFANITY' }],
        },
      }),
      'profanity:7 custom_blocklists(customWords):7',
    ],
    [
      intervened({
        sensitiveInformationPolicy: {
          piiEntities: [{ type: 'EMAIL', match: 'a@b.c', action: 'ANONYMIZED' }],
          regexes: [{ name: 'badge', match: '1', action: 'BLOCKED' }],
        },
      }),
      'personally_identifiable_information(EMAIL):7 personally_identifiable_information(badge):7',
    ],
    [
      intervened({
        contextualGroundingPolicy: { filters: [{ type: 'GROUNDING', threshold: 0.7, score: 0.2, action: 'BLOCKED' }] },
      }),
      'ungrounded_material:7',
    ],
    [
      {
        action: 'NONE',
        assessments: [{ contextualGroundingPolicy: { filters: [{ type: 'GROUNDING', score: 0.9, action: 'NONE' }] } }],
      },
      '',
    ],
    [{}, 'refused'],
    [{ action: 'NONE' }, 'refused'],
    [{ action: 'ALLOW', assessments: [] }, 'refused'],
    [{ action: null, assessments: [] }, 'refused'],
    [{ action: 'NONE', assessments: ['x'] }, 'refused'],
    [intervened({}), 'refused'],
    [filter('HATE', 'SURE'), 'refused'],
    [filter('HATE', 3), 'refused'],
    [{ action: 'NONE', assessments: [{ contentPolicy: 'none' }] }, 'refused'],
    [{ __type: 'ThrottlingException', message: 'slow' }, 'refused'],
    [{ message: 'The security token is expired' }, 'refused'],
  ]
  for (const [answer, expected] of answers) {
    test(JSON.stringify(answer), () => {
      expect(readAs(requestsOf(kind, [user('hello')], { options }), answer)).toBe(expected)
    })
  }

  test('the word that matched stays out of the finding', () => {
    const [only] = requestsOf(kind, [user('secret')], { options })
    const answer = intervened({ wordPolicy: { customWords: [{ match: 'secret', action: 'BLOCKED' }] } })
    expect(JSON.stringify(findingsOf(only, answer))).not.toContain('secret')
  })

  test('an attack in a document is an indirect one', () => {
    expect(readAs(requestsOf(kind, [document('d')], { options }), filter('PROMPT_ATTACK', 'LOW'))).toBe(
      'indirect_attack:7',
    )
  })
})

describe('requests', () => {
  const bodies = (...given: Parameters<typeof requestsOf>) =>
    requestsOf(...given).map(({ path, body }) => ({ path, body }))

  test('a prompt is input, an answer is output', () => {
    const path = '/guardrail/gr1/version/3/apply'
    expect(bodies(kind, [user('u')], { options })).toEqual([
      { path, body: { source: 'INPUT', content: [{ text: { text: 'u' } }] } },
    ])
    expect(bodies(kind, [user('q'), assistant('a')], { options, source: 'Completion' })).toEqual([
      { path, body: { source: 'OUTPUT', content: [{ text: { text: 'a' } }] } },
    ])
  })

  test('grounding brings documents and question, each called what it is', () => {
    const [only] = bodies(kind, [user('q'), document('d'), assistant('a')], { options, source: 'Completion' })
    expect(only?.body.content).toEqual([
      { text: { text: 'd', qualifiers: ['grounding_source'] } },
      { text: { text: 'q', qualifiers: ['query'] } },
      { text: { text: 'a', qualifiers: ['guard_content'] } },
    ])
  })

  test('address and credential', () => {
    const make = (credential: string, url?: string) =>
      createService(kind, settingsOf(kind, { options, credential, ...(url && { url }) }))
    expect(make('ABSKQmVkcm9ja0FQSUtleQ==')).toMatchObject({
      origin: 'https://bedrock-runtime.eu-central-1.amazonaws.com',
      auth: { kind: 'header', name: 'authorization', prefix: 'Bearer ' },
    })
    expect(make('AKIDEXAMPLE0000000:secret/+key').auth).toEqual({
      kind: 'signature',
      region: 'eu-central-1',
      service: 'bedrock',
    })
    expect(make('ASIDEXAMPLE0000000:secret:session==').auth.kind).toBe('signature')
    expect(make('k', 'http://localhost:1/x').origin).toBe('http://localhost:1')
    const arn = { ...options, guardrailId: 'arn:aws:bedrock:eu-central-1:1:guardrail/abc' }
    expect(requestsOf(kind, [user('u')], { options: arn })[0]?.path).toBe(
      '/guardrail/arn%3Aaws%3Abedrock%3Aeu-central-1%3A1%3Aguardrail%2Fabc/version/3/apply',
    )
  })
})
