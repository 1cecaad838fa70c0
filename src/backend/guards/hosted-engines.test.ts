import { afterEach, describe, expect, test } from 'bun:test'
import { generateKeyPairSync } from 'node:crypto'
import type { FilterCategory } from '../../core/filter/categories.ts'
import type { FilterEngine, Question } from '../../core/filter/engine.ts'
import { faultOf, makeTransport } from '../transport/transport.fixture.ts'
import { createFilterEngine } from './create-engine.ts'
import { type FakeService, startFakeService } from './fake-service.fixture.ts'
import type { EngineSpec } from './kinds.ts'

/** Every hosted kind against a server that does what services do on good and bad days. */

type Case = {
  readonly kind: Exclude<EngineSpec['kind'], 'guard'>
  readonly path: string
  readonly options?: EngineSpec['options']
  readonly credential: string
  /** The header that shows the credential. */
  readonly shows: readonly [header: string, value: string | RegExp]
  readonly hateful: object
  readonly clean: object
}

const moderation = (hate: boolean) => ({
  results: [{ flagged: hate, categories: { hate }, category_scores: { hate: hate ? 0.9 : 0 } }],
})
const armor = (state: string, types: object = {}) => ({
  sanitizationResult: {
    filterMatchState: state,
    invocationResult: 'SUCCESS',
    filterResults: {
      rai: { raiFilterResult: { executionState: 'EXECUTION_SUCCESS', matchState: state, raiFilterTypeResults: types } },
    },
  },
})
const secret = 'sekret-credential-0123456789'
const secretKey = 'AKIDEXAMPLE0000000:wJalrXUtnFEMIsekret'

const cases: readonly Case[] = [
  {
    kind: 'azure-content-safety',
    path: '/contentsafety/text:analyze?api-version=2024-09-01',
    credential: secret,
    shows: ['ocp-apim-subscription-key', secret],
    hateful: { categoriesAnalysis: [{ category: 'Hate', severity: 6 }] },
    clean: { categoriesAnalysis: [{ category: 'Hate', severity: 0 }] },
  },
  {
    kind: 'openai-moderations',
    path: '/moderations',
    credential: secret,
    shows: ['authorization', `Bearer ${secret}`],
    hateful: moderation(true),
    clean: moderation(false),
  },
  {
    kind: 'bedrock-guardrails',
    path: '/guardrail/gr1/version/DRAFT/apply',
    options: { guardrailId: 'gr1', region: 'eu-central-1' },
    credential: secretKey,
    shows: [
      'authorization',
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE0000000\/\d{8}\/eu-central-1\/bedrock\/aws4_request, SignedHeaders=[a-z0-9;-]+, Signature=[0-9a-f]{64}$/,
    ],
    hateful: {
      action: 'GUARDRAIL_INTERVENED',
      assessments: [{ contentPolicy: { filters: [{ type: 'HATE', confidence: 'HIGH', action: 'BLOCKED' }] } }],
    },
    clean: { action: 'NONE', assessments: [] },
  },
  {
    kind: 'model-armor',
    path: '/v1/projects/p/locations/l/templates/t:sanitizeUserPrompt',
    options: { template: 'projects/p/locations/l/templates/t' },
    credential: secret,
    shows: ['authorization', `Bearer ${secret}`],
    hateful: armor('MATCH_FOUND', { hate_speech: { matchState: 'MATCH_FOUND', confidenceLevel: 'HIGH' } }),
    clean: armor('NO_MATCH_FOUND'),
  },
  {
    kind: 'lakera',
    path: '/v2/guard',
    credential: secret,
    shows: ['authorization', `Bearer ${secret}`],
    hateful: {
      flagged: true,
      breakdown: [{ detector_type: 'moderated_content/hate', detected: true, result: 'l1_confident' }],
    },
    clean: { flagged: false, breakdown: [{ detector_type: 'moderated_content/hate', detected: false }] },
  },
  {
    kind: 'http',
    path: '/',
    options: { auth: 'api-key' },
    credential: secret,
    shows: ['api-key', secret],
    hateful: moderation(true),
    clean: moderation(false),
  },
]

const text = 'the-text-that-is-judged'
const stops: (() => void)[] = []
afterEach(() => {
  for (const stop of stops.splice(0)) stop()
})

async function start(spec: Omit<EngineSpec, 'name' | 'url'>): Promise<{ service: FakeService; engine: FilterEngine }> {
  const service = await startFakeService()
  const engine = createFilterEngine(
    { ...spec, name: 'mine', url: service.origin },
    {
      openTransport(origin) {
        const transport = makeTransport(origin)
        stops.push(() => transport.close())
        return transport
      },
      askDeployment: () => Promise.reject(new Error('no deployment is asked here')),
    },
  )
  stops.push(() => service.stop())
  return { service, engine }
}

function judge(engine: FilterEngine, signal = new AbortController().signal, categories: FilterCategory[] = ['hate']) {
  const question: Question = { categories: new Set(categories), source: 'Prompt', topics: [], signal }
  return engine.judge([{ role: 'user', text }], question)
}

for (const { kind, path, options, credential, shows, hateful, clean } of cases) {
  describe(kind, () => {
    const spec = { kind, options, credential }

    test('judges', async () => {
      const { service, engine } = await start(spec)
      service.answer = (response) => void response.end(JSON.stringify(hateful))
      expect((await judge(engine)).findings).toMatchObject([
        { category: 'hate', severity: 6, span: { segment: 0, start: 0, end: text.length } },
      ])
      service.answer = (response) => void response.end(JSON.stringify(clean))
      expect(await judge(engine)).toEqual({ findings: [], otherLabels: [] } as never)
      const [request] = service.requests
      expect(request).toMatchObject({ method: 'POST', path })
      expect(request?.headers).toMatchObject({ 'content-type': 'application/json', 'user-agent': 'ponto' })
      expect(request?.headers[shows[0]]).toMatch(shows[1])
      expect(JSON.stringify(JSON.parse(request?.body ?? ''))).toContain(text)
    })

    test('fails by the status of the answer, and tells neither text nor secret', async () => {
      const { service, engine } = await start(spec)
      for (const [status, code] of [
        [400, 'upstream-rejected'],
        [401, 'upstream-misconfigured'],
        [403, 'upstream-misconfigured'],
        [404, 'upstream-misconfigured'],
        [429, 'rate-limited'],
        [500, 'upstream-failed'],
        [502, 'upstream-failed'],
        [503, 'upstream-unavailable'],
        [302, 'upstream-failed'],
        [204, 'upstream-failed'],
      ] as const) {
        service.answer = (response) => {
          response.writeHead(status, { 'retry-after': '7', location: '/elsewhere' })
          response.end(
            status === 204 ? undefined : JSON.stringify({ ...clean, error: { message: `${credential} ${text}` } }),
          )
        }
        const fault = await faultOf(judge(engine), code)
        expect(fault.message).toContain('"mine"')
        for (const hidden of [text, credential, 'sekret']) expect(fault.message).not.toContain(hidden)
        expect(fault.detail.cause).toBeUndefined()
        if (status === 429) expect(fault.detail.retryAfterMs).toBe(7000)
      }
    })

    test('takes no nonsense for a verdict', async () => {
      const { service, engine } = await start(spec)
      const nonsense = [
        '',
        'safe',
        '<html>ok</html>',
        '{}',
        '[]',
        'null',
        'true',
        '{"results":"safe"}',
        JSON.stringify(clean).slice(0, -2),
        JSON.stringify({ ...clean, error: { code: 'x', message: `${credential} ${text}` } }),
        JSON.stringify({ error: 'x' }),
      ]
      for (const body of nonsense) {
        service.answer = (response) => void response.end(body)
        const fault = await faultOf(judge(engine), 'upstream-failed')
        expect(fault.message).toContain('"mine"')
        for (const hidden of [text, credential, 'sekret']) expect(fault.message).not.toContain(hidden)
      }
    })

    test('an answer that breaks off or never ends is none', async () => {
      const { service, engine } = await start(spec)
      service.answer = (response) => {
        response.writeHead(200, { 'content-length': '1000' })
        response.write(JSON.stringify(clean), () => response.destroy())
      }
      await faultOf(judge(engine), 'upstream-failed')
      service.answer = (response) => void response.end(JSON.stringify({ ...clean, padding: 'x'.repeat(1024 * 1024) }))
      await faultOf(judge(engine), 'upstream-failed')
    })

    test('a slow one is given up when its caller does not wait', async () => {
      const { service, engine } = await start(spec)
      const patience = new AbortController()
      service.answer = () => patience.abort(new DOMException('late', 'TimeoutError'))
      await faultOf(judge(engine, patience.signal), 'upstream-timeout')
      await service.whenGivenUp()
      const gone = new AbortController()
      service.answer = () => gone.abort()
      await faultOf(judge(engine, gone.signal), 'client-gone')
    })

    test('one that is down is no verdict', async () => {
      const { service, engine } = await start(spec)
      service.stop()
      await faultOf(judge(engine), 'upstream-unavailable')
    })

    test('is not asked about what it cannot judge, nor about blanks', async () => {
      const { service, engine } = await start(spec)
      expect(await judge(engine, undefined, [])).toEqual({ findings: [], otherLabels: [] } as never)
      expect(service.requests).toEqual([])
    })
  })
}

test('of several requests one that fails leaves what the others found, and nothing found is no verdict', async () => {
  const { service, engine } = await start({ kind: 'azure-content-safety', credential: secret })
  const analyse = (severity: number) => {
    service.answer = (response, { path }) => {
      if (path.includes('shieldPrompt')) response.writeHead(500).end()
      else response.end(JSON.stringify({ categoriesAnalysis: [{ category: 'Hate', severity }] }))
    }
  }
  analyse(6)
  const verdict = await judge(engine, undefined, ['hate', 'jailbreak'])
  expect(verdict).toMatchObject({ findings: [{ category: 'hate', severity: 6 }], isPartial: true })
  analyse(0)
  await faultOf(judge(engine, undefined, ['hate', 'jailbreak']), 'upstream-failed')
  expect(service.requests).toHaveLength(4)
})

test('a service account trades its key for a token, once', async () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const tokens = await startFakeService()
  stops.push(() => tokens.stop())
  tokens.answer = (response) => void response.end('{"access_token":"traded","expires_in":3600}')
  const credential = JSON.stringify({
    client_email: 'f@p',
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    token_uri: `${tokens.origin}/token`,
  })
  const { service, engine } = await start({
    kind: 'model-armor',
    credential,
    options: { template: 'projects/p/locations/l/templates/t' },
  })
  service.answer = (response) => void response.end(JSON.stringify(armor('NO_MATCH_FOUND')))
  await judge(engine)
  await judge(engine)
  expect(tokens.requests).toHaveLength(1)
  expect(service.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer traded', 'Bearer traded'])
  tokens.answer = (response) => void response.writeHead(400).end()
})

test('an API key of a guardrail is a bearer token, and a temporary access key brings its session', async () => {
  const options = { guardrailId: 'gr1', region: 'eu-central-1' }
  const clean = JSON.stringify({ action: 'NONE', assessments: [] })
  const plain = await start({ kind: 'bedrock-guardrails', credential: 'ABSKkey', options })
  plain.service.answer = (response) => void response.end(clean)
  await judge(plain.engine)
  expect(plain.service.requests[0]?.headers.authorization).toBe('Bearer ABSKkey')
  const temporary = await start({ kind: 'bedrock-guardrails', credential: 'ASIDEXAMPLE0000000:k:session==', options })
  temporary.service.answer = (response) => void response.end(clean)
  await judge(temporary.engine)
  expect(temporary.service.requests[0]?.headers['x-amz-security-token']).toBe('session==')
})
