import { describe, expect, test } from 'bun:test'
import type { ChatCall } from '../../core/call.ts'
import { Fault } from '../../core/fault.ts'
import type { FilterCategory } from '../../core/filter/categories.ts'
import type { AnswerResult } from '../../core/result.ts'
import { faultOf } from '../transport/transport.fixture.ts'
import { createFilterEngine, type EngineDeps } from './create-engine.ts'
import { type EngineSpec, guardProfiles, type ProfileName } from './kinds.ts'

const text = 'the-text-that-is-judged'
const answer = (content: string): AnswerResult => ({
  kind: 'chat',
  choices: [{ index: 0, text: content, finishReason: 'stop' }],
})

function makeEngine(profile: ProfileName, askDeployment: EngineDeps['askDeployment'], more: Partial<EngineSpec> = {}) {
  return createFilterEngine(
    { name: 'mine', kind: 'guard', deployment: 'my-guard', profile, ...more },
    {
      askDeployment,
      openTransport: () => {
        throw new Error('no connection is opened here')
      },
    },
  )
}

const ask = (categories: FilterCategory[], signal = new AbortController().signal) =>
  ({ categories: new Set(categories), source: 'Prompt', topics: [], signal }) as const

describe('a guard', () => {
  test('is asked by its name, with the signal, and answers', async () => {
    const asked: [string, ChatCall, AbortSignal][] = []
    const engine = makeEngine('qwen3guard', async (...given) => {
      asked.push(given)
      return answer('Safety: Unsafe\nCategories: Violent, Politically Sensitive Topics')
    })
    const verdict = await engine.judge([{ role: 'user', text }], ask(['violence']))
    expect(verdict as unknown).toEqual({
      findings: [
        { category: 'violence', severity: 6, rule: 'Violent', span: { segment: 0, start: 0, end: text.length } },
      ],
      otherLabels: ['Politically Sensitive Topics'],
    })
    expect(asked.map(([name, { deployment }]) => [name, deployment])).toEqual([['my-guard', 'my-guard']])
    expect(engine).toMatchObject({
      name: 'mine',
      label: 'guard/qwen3guard',
      maxChars: 8000,
      deadlineMs: { prompt: 1500, window: 800 },
    })
  })

  test('asks its questions at the same time', async () => {
    let waiting = 0
    let release = () => {}
    const all = new Promise<void>((resolve) => {
      release = resolve
    })
    const engine = makeEngine('granite-guardian', async () => {
      if (++waiting === 3) release()
      await all
      return answer('<score> yes </score>')
    })
    const { findings } = await engine.judge([{ role: 'user', text }], ask(['hate', 'violence', 'profanity']))
    expect(findings.map(({ category }) => category)).toEqual(['hate', 'violence', 'profanity'])
  })

  test('one question that fails leaves what the others found, and nothing found is no verdict', async () => {
    const engineThat = (says: string) => {
      let calls = 0
      return makeEngine('granite-guardian', async () =>
        answer(++calls === 2 ? 'who knows' : `<score> ${says} </score>`),
      )
    }
    const question = ask(['hate', 'violence', 'profanity'])
    const verdict = await engineThat('yes').judge([{ role: 'user', text }], question)
    expect(verdict.isPartial).toBe(true)
    expect(verdict.findings.map(({ category }) => category)).toEqual(['hate', 'profanity'])
    const fault = await faultOf(engineThat('no').judge([{ role: 'user', text }], question), 'upstream-failed')
    expect(fault.message).toBe('The filter engine "mine" could not judge: its answer has no score of yes or no.')
  })

  test('passes on no words of a failure', async () => {
    for (const [thrown, code] of [
      [
        new Fault('upstream-rejected', `${text} is bad`, { upstream: { wire: 'openai-', body: { text } } }),
        'upstream-rejected',
      ],
      [new Fault('rate-limited', `${text}`, { retryAfterMs: 50 }), 'rate-limited'],
      [new Fault('deployment-not-found', text), 'deployment-not-found'],
      [new Fault('unsupported-value', text), 'unsupported-value'],
      [new Fault('conflict', text), 'upstream-failed'],
      [new Error(text), 'upstream-failed'],
    ] as const) {
      const engine = makeEngine('judge', () => Promise.reject(thrown))
      const fault = await faultOf(engine.judge([{ role: 'user', text }], ask(['hate'])), code)
      expect(JSON.stringify([fault.message, fault.detail, String(fault.cause)])).not.toContain(text)
      expect(fault.message).toContain('"mine"')
    }
  })

  test('a deadline is one, whatever the deployment says when it is cut off', async () => {
    const late = new AbortController()
    const engine = makeEngine('judge', (_name, _call, signal) => {
      queueMicrotask(() => late.abort(new DOMException('late', 'TimeoutError')))
      return new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(new Fault('client-gone', text))),
      )
    })
    await faultOf(engine.judge([{ role: 'user', text }], ask(['hate'], late.signal)), 'upstream-timeout')
  })

  test('is not asked about what it cannot judge', async () => {
    const engine = makeEngine('shieldgemma', () => Promise.reject(new Error('asked')))
    expect((await engine.judge([{ role: 'user', text }], ask(['jailbreak', 'profanity']))).findings).toEqual([])
  })

  test('can judge what its labels are given', async () => {
    const options = { labels: { S2: 'custom_topics' } }
    const engine = makeEngine('llama-guard-3', async () => answer('unsafe\nS2'), { options })
    expect(engine.categories.has('custom_topics')).toBe(true)
    const { findings } = await engine.judge([{ role: 'user', text }], ask(['custom_topics']))
    expect(findings).toMatchObject([{ category: 'custom_topics', id: 'S2', severity: 7 }])
  })
})

for (const profile of Object.keys(guardProfiles) as ProfileName[]) {
  test(`${profile} says nothing of a model that chats`, async () => {
    for (const words of [
      '',
      'safe to say: hello!',
      "I'm sorry, but I can't help with that.",
      'Sure! Here is the text you asked for.',
    ]) {
      const engine = makeEngine(profile, async () => answer(words))
      const fault = await faultOf(
        engine.judge([{ role: 'user', text }], ask([...guardProfiles[profile].categories])),
        'upstream-failed',
      )
      expect(fault.message).toStartWith('The filter engine "mine" could not judge: ')
    }
  })
}

describe('descriptions that cannot work', () => {
  const problems: [Partial<EngineSpec> & { kind: EngineSpec['kind'] }, string][] = [
    [{ kind: 'guard', profile: 'judge' }, 'deployment is needed'],
    [{ kind: 'guard', deployment: 'd' }, 'profile is needed: one of llama-guard-3'],
    [{ kind: 'guard', deployment: 'd', profile: 'x' as never }, '"x" is none of llama-guard-3'],
    [{ kind: 'guard', deployment: 'd', profile: 'judge', url: 'https://x' }, 'url is not for an engine of kind guard'],
    [
      { kind: 'guard', deployment: 'd', profile: 'judge', options: { temperature: 1 } },
      'options.temperature is none of policy, maxTokens',
    ],
    [
      { kind: 'guard', deployment: 'd', profile: 'judge', options: { maxTokens: 0 } },
      'options.maxTokens must be a whole number of 1 to 8192',
    ],
    [
      { kind: 'guard', deployment: 'd', profile: 'shieldgemma', options: { style: 'x' } },
      '"x" is none of template, prompt',
    ],
    [
      { kind: 'guard', deployment: 'd', profile: 'qwen3guard', options: { labels: { Violent: 'rude' } } },
      'each label one of hate,',
    ],
    [
      {
        kind: 'guard',
        deployment: 'd',
        profile: 'shieldgemma',
        options: { calibration: { low: 0.5, medium: 0.2, high: 1 } },
      },
      'none below the one before',
    ],
    [
      { kind: 'guard', deployment: 'd', profile: 'shieldgemma', options: { calibration: { low: 0.5 } } },
      'must give low, medium and high',
    ],
    [{ kind: 'mystery' as never }, '"mystery" is none of guard, azure-content-safety'],
    [{ kind: 'azure-content-safety', credential: 'k' }, 'url is needed'],
    [{ kind: 'azure-content-safety', credential: 'k', url: 'ftp://x' }, 'http:// or https://'],
    [{ kind: 'azure-content-safety', credential: 'k', url: 'https://me:pw@x' }, 'no name or password'],
    [{ kind: 'azure-content-safety', url: 'https://x' }, 'credential is needed'],
    [
      { kind: 'azure-content-safety', credential: 'k', url: 'https://x', apiVersion: 'a&b' },
      'apiVersion is no version',
    ],
    [{ kind: 'lakera', credential: 'k', apiVersion: '2' }, 'apiVersion is not for'],
    [{ kind: 'lakera', credential: 'k', profile: 'judge' }, 'profile is for engines of kind guard'],
    [
      { kind: 'bedrock-guardrails', credential: 'k', options: { region: 'eu-central-1' } },
      'options.guardrailId is needed',
    ],
    [
      { kind: 'bedrock-guardrails', credential: 'k', options: { guardrailId: 'g', region: 'x.evil.com/' } },
      'options.region must be',
    ],
    [{ kind: 'model-armor', credential: 'k', options: { template: 't' } }, 'options.template must be projects/'],
    [
      {
        kind: 'model-armor',
        credential: '{"client_email":"x"}',
        options: { template: 'projects/p/locations/l/templates/t' },
      },
      'lacks client_email',
    ],
    [{ kind: 'http', url: 'https://x', maxChars: 0 }, 'maxChars 0 is no whole number'],
    [
      { kind: 'http', url: 'https://x', deadlineMs: { prompt: 1.5, window: 1 } },
      'deadlineMs.prompt 1.5 is no whole number',
    ],
  ]
  for (const [spec, expected] of problems) {
    test(expected, async () => {
      const make = async () =>
        createFilterEngine(
          { name: 'mine', ...spec },
          {
            askDeployment: () => Promise.reject(new Error('asked')),
            openTransport: () => ({ request: () => Promise.reject(new Error('asked')), close() {} }),
          },
        )
      const fault = await faultOf(make(), 'upstream-misconfigured')
      expect(fault.message).toContain(expected)
      expect(fault.message).toContain('"mine"')
    })
  }
})
