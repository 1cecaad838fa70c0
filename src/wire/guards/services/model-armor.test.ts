import { describe, expect, test } from 'bun:test'
import { createService } from './create-service.ts'
import { assistant, document, readAs, requestsOf, settingsOf, user } from './service.fixture.ts'

const kind = 'model-armor'
const options = { template: 'projects/p1/locations/europe-west4/templates/t1' }
const ran = { executionState: 'EXECUTION_SUCCESS' }
const hit = { ...ran, matchState: 'MATCH_FOUND' }
const miss = { ...ran, matchState: 'NO_MATCH_FOUND' }

const answer = (filterResults: unknown, more: object = {}) => ({
  sanitizationResult: {
    filterMatchState: JSON.stringify(filterResults)?.includes('"MATCH_FOUND"') ? 'MATCH_FOUND' : 'NO_MATCH_FOUND',
    invocationResult: 'SUCCESS',
    filterResults,
    ...more,
  },
})
const rai = (types: object) => ({ rai: { raiFilterResult: { ...hit, raiFilterTypeResults: types } } })

describe('answers', () => {
  const answers: [unknown, string][] = [
    [answer({ csam: { csamFilterFilterResult: miss }, rai: { raiFilterResult: miss } }), ''],
    [answer({ pi_and_jailbreak: { piAndJailbreakFilterResult: miss } }), ''],
    [answer({ sdp: { sdpFilterResult: { inspectResult: miss } } }), ''],
    [answer(rai({ hate_speech: { confidenceLevel: 'MEDIUM_AND_ABOVE', matchState: 'MATCH_FOUND' } })), 'hate:4'],
    [
      answer(
        rai({
          harassment: { confidenceLevel: 'HIGH', matchState: 'MATCH_FOUND' },
          sexually_explicit: { matchState: 'NO_MATCH_FOUND' },
          dangerous: { confidenceLevel: 'LOW_AND_ABOVE', matchState: 'MATCH_FOUND' },
        }),
      ),
      'hate:6 violence:2',
    ],
    [answer(rai({ sexually_explicit: { matchState: 'MATCH_FOUND' } })), 'sexual:6'],
    [answer({ pi_and_jailbreak: { piAndJailbreakFilterResult: { ...hit, confidenceLevel: 'HIGH' } } }), 'jailbreak:7'],
    [answer({ csam: { csamFilterFilterResult: hit } }), 'sexual:6'],
    [answer({ malicious_uris: { maliciousUriFilterResult: hit } }), '+malicious_uris'],
    [
      answer({
        sdp: {
          sdpFilterResult: {
            inspectResult: { ...hit, findings: [{ infoType: 'EMAIL_ADDRESS' }, { infoType: 'EMAIL_ADDRESS' }] },
          },
        },
      }),
      'personally_identifiable_information(EMAIL_ADDRESS):7',
    ],
    [
      answer({ sdp: { sdpFilterResult: { deidentifyResult: { ...hit, infoTypes: ['PASSWORD'] } } } }),
      'personally_identifiable_information(PASSWORD):7',
    ],
    [answer({ sdp: { sdpFilterResult: { inspectResult: hit } } }), 'personally_identifiable_information:7'],
    [answer([{ raiFilterResult: miss }, { piAndJailbreakFilterResult: hit }]), 'jailbreak:7'],
    [{}, 'refused'],
    [{ sanitizationResult: {} }, 'refused'],
    [{ sanitizationResult: { filterMatchState: 'NO_MATCH_FOUND' } }, 'refused'],
    [answer({}), 'refused'],
    [answer({ rai: null }), 'refused'],
    [answer({ rai: { raiFilterResult: { ...miss, matchState: 'UNKNOWN' } } }), 'refused'],
    [answer({ rai: { raiFilterResult: miss } }, { filterMatchState: 'MATCH_FOUND' }), 'refused'],
    [answer({ rai: { raiFilterResult: miss } }, { invocationResult: 'PARTIAL' }), 'refused'],
    [answer({ rai: { raiFilterResult: miss } }, { invocationResult: 'FAILURE' }), 'refused'],
    [answer({ pi_and_jailbreak: { piAndJailbreakFilterResult: { executionState: 'EXECUTION_SKIPPED' } } }), 'refused'],
    [answer(rai({ hate_speech: 'HIGH' })), 'refused'],
    [{ error: { code: 403, status: 'PERMISSION_DENIED' } }, 'refused'],
  ]
  for (const [given, expected] of answers) {
    test(JSON.stringify(given), () => {
      expect(readAs(requestsOf(kind, [user('hello')], { options }), given)).toBe(expected)
    })
  }

  test('an attack in a document is an indirect one', () => {
    const found = answer({ pi_and_jailbreak: { piAndJailbreakFilterResult: hit } })
    expect(readAs(requestsOf(kind, [document('d')], { options }), found)).toBe('indirect_attack:7')
  })
})

test('prompts and answers have operations of their own', () => {
  const path = '/v1/projects/p1/locations/europe-west4/templates/t1'
  const [prompt] = requestsOf(kind, [user('u')], { options })
  expect(prompt).toMatchObject({ path: `${path}:sanitizeUserPrompt`, body: { userPromptData: { text: 'u' } } })
  const [answered] = requestsOf(kind, [user('q'), assistant('a')], { options, source: 'Completion' })
  expect(answered).toMatchObject({ path: `${path}:sanitizeModelResponse`, body: { modelResponseData: { text: 'a' } } })
})

test('the address is that of the location', () => {
  expect(createService(kind, settingsOf(kind, { options }))).toMatchObject({
    origin: 'https://modelarmor.europe-west4.rep.googleapis.com',
    auth: { kind: 'token', scope: 'https://www.googleapis.com/auth/cloud-platform' },
  })
})
