import { describe, expect, test } from 'bun:test'
import { formatProblem } from '../core/text/parse-document.ts'
import { plainRules } from './capacity/capacity-rules.fixture.ts'
import { readDeployment } from './read-deployment.ts'

const options = {
  builtinModels: [{ format: 'Ponto', name: 'builtin-nano', version: '3' }],
  readSecret: (name: string) => (name === 'PONTO_SECRET_SET' ? 'sk-from-environment' : undefined),
  credentialRule: '{env}',
  capacityRules: plainRules,
}
const backend = { url: 'https://api.example/v1' }
const deployment = (fields: object) => ({ name: 'gpt', model: { name: 'gpt-4o' }, backends: [backend], ...fields })
const withBackend = (fields: object) => deployment({ backends: [{ ...backend, ...fields }] })

function problemsOf(input: unknown): string[] {
  const reading = readDeployment(input, options)
  return 'problems' in reading ? reading.problems.map(formatProblem) : []
}

describe('readDeployment', () => {
  test('fills in what need not be said', () => {
    expect(readDeployment(deployment({}), options)).toEqual({
      spec: {
        name: 'gpt',
        model: { format: 'OpenAI', name: 'gpt-4o', version: '2024-11-20' },
        backends: [
          {
            ...backend,
            protocol: 'openai',
            priority: 0,
            weight: 1,
            timeouts: { connectMs: 5_000, firstByteMs: 300_000, idleMs: 120_000, totalMs: 1_800_000 },
          },
        ],
      },
    })
  })

  test('a built-in model is found without regard to case and gives its format and version', () => {
    const reading = readDeployment({ name: 'Mistral-large', model: { name: 'Builtin-NANO' } }, options)
    expect(reading).toEqual({
      spec: { name: 'Mistral-large', model: { format: 'Ponto', name: 'builtin-nano', version: '3' } },
    })
  })

  test.each<[string, unknown, string[]]>([
    ['another type', 5, ['got 5, expected an object']],
    ['nothing', {}, ['name: missing, expected a string', 'model: missing, expected an object']],
    ['a wrong type', deployment({ model: { name: 5 } }), ['model.name: got 5, expected a string']],
    ['a null', deployment({ model: { name: null } }), ['model.name: got null, expected a string']],
    [
      'half a character, which no address can hold',
      deployment({ model: { name: 'm\ud83d' } }),
      ['model.name: got "m\\ud83d", expected a text without half characters'],
    ],
    [
      'a name too short',
      deployment({ name: 'x' }),
      ['name: got "x", expected 2 to 64 letters, digits, "-", "_" or "."'],
    ],
    [
      'an unknown field',
      deployment({ model: { nmae: 'x', name: 'm' } }),
      ['model.nmae: unknown field, allowed are format, name, version, type'],
    ],
    ['no backends in the list', deployment({ backends: [] }), ['backends: got a list, expected at least 1 item']],
    ['an empty string', deployment({ model: { name: '' } }), ['model.name: got "", expected at least 1 character']],
    [
      'a long string',
      deployment({ model: { name: 'm'.repeat(129) } }),
      [`model.name: got "${'m'.repeat(55)}...", expected at most 128 characters`],
    ],
    ['a number out of range', withBackend({ weight: 0 }), ['backends[0].weight: got 0, expected at least 1']],
    ['a fraction', withBackend({ priority: 0.5 }), ['backends[0].priority: got 0.5, expected a whole number']],
    [
      'another choice',
      withBackend({ auth: 'basic' }),
      ['backends[0].auth: got "basic", expected one of "bearer", "api-key", "x-api-key", "none"'],
    ],
    [
      'an odd API version',
      withBackend({ apiVersion: 'new' }),
      ['backends[0].apiVersion: got "new", expected YYYY-MM-DD, YYYY-MM-DD-preview, v1, preview or latest'],
    ],
    [
      'no URL',
      withBackend({ url: 'api.example' }),
      ['backends[0].url: got "api.example", expected an http or https URL'],
    ],
    [
      'another scheme',
      withBackend({ url: 'ftp://api.example' }),
      ['backends[0].url: got "ftp://api.example", expected an http or https URL'],
    ],
    [
      'a user in the URL',
      withBackend({ url: 'https://me:sk-secret@api.example' }),
      ['backends[0].url: a user or password does not belong in a URL; give it as credential'],
    ],
    [
      'a user in what is no URL',
      withBackend({ url: 'ftp://me:sk-secret@api.example' }),
      ['backends[0].url: got "ftp://...@api.example", expected an http or https URL'],
    ],
    [
      'a fragment',
      withBackend({ url: 'https://api.example/#top' }),
      ['backends[0].url: got "#top" at the end, expected a URL without fragment'],
    ],
    [
      'a query',
      withBackend({ url: 'https://api.example/?api-version=1' }),
      ['backends[0].url: got a query, expected a URL without one (the API version goes into apiVersion)'],
    ],
    [
      'a credential and auth none',
      withBackend({ auth: 'none', credential: { env: 'PONTO_SECRET_SET' } }),
      ['backends[0].auth: got "none" beside a credential, expected one or the other'],
    ],
    [
      'batches where the protocol has none',
      withBackend({ protocol: 'foundry', nativeBatch: true }),
      [
        'backends[0].nativeBatch: got true, but "foundry" has no batches; openai, azure-openai, anthropic have. Without it the lines are run here one by one',
      ],
    ],
    [
      'a variable that is not set',
      withBackend({ credential: { env: 'PONTO_SECRET_UNSET' } }),
      [
        'backends[0].credential.env: the variable PONTO_SECRET_UNSET is not set; set it where Ponto is started, and start Ponto again',
      ],
    ],
    [
      'a variable of another name',
      withBackend({ credential: { env: 'HOME' } }),
      ['backends[0].credential.env: got a string, expected a variable whose name begins with PONTO_SECRET_'],
    ],
    [
      'a bare secret',
      withBackend({ credential: 'sk-secret' }),
      ['backends[0].credential: got a string, expected {env}'],
    ],
    [
      'a model that is not there',
      { name: 'gpt', model: { name: 'gpt-4o' } },
      [
        'model: there is no built-in model "gpt-4o" (format OpenAI, version 2024-11-20); there is: "builtin-nano" (format Ponto, version 3). ' +
          'To use a model that runs elsewhere, give backends: [{url: "https://.../v1"}], or say where it runs under "modelBackends" of the configuration file',
      ],
    ],
    [
      'a version that is not there',
      { name: 'gpt', model: { name: 'builtin-nano', version: '9' } },
      [
        'model: there is no built-in model "builtin-nano" (format Ponto, version 9); there is: "builtin-nano" (format Ponto, version 3). ' +
          'To use a model that runs elsewhere, give backends: [{url: "https://.../v1"}], or say where it runs under "modelBackends" of the configuration file',
      ],
    ],
  ])('refuses %s', (_what, input, problems) => {
    expect(problemsOf(input)).toEqual(problems)
  })

  test.each([
    'http://169.254.169.254/latest',
    'http://2852039166/',
    'http://0xa9.0xfe.0xa9.0xfe/',
    'http://[fe80::1]/',
    'http://[::ffff:169.254.169.254]/',
    'http://100.100.100.200/',
  ])('refuses the address of %s', (url) => {
    expect(problemsOf(withBackend({ url }))).toEqual([
      expect.stringMatching(/^backends\[0\]\.url: the address \S+ is refused: /),
    ])
  })

  test.each(['http://127.0.0.1:8000/v1', 'http://10.0.0.5/v1', 'http://[::1]:8000/v1', 'https://api.example'])(
    'allows %s',
    (url) => {
      expect(problemsOf(withBackend({ url }))).toEqual([])
    },
  )

  test('repeats no secret, wherever it was put', () => {
    const secret = 'sk-planted-0123456789'
    const places = [
      withBackend({ credential: secret }),
      withBackend({ credential: { value: secret, extra: 1 } }),
      withBackend({ credential: { env: secret } }),
      withBackend({ credential: [secret] }),
      withBackend({ apiKey: secret }),
      withBackend({ url: `https://user:${secret}@api.example` }),
      withBackend({ url: `https://api.example?key=${secret}` }),
      deployment({ backends: { url: 'https://api.example', credential: { value: secret } } }),
      deployment({ backends: [[{ credential: secret }]] }),
      deployment({ model: { name: { credential: secret } } }),
    ]
    for (const input of places) {
      const problems = problemsOf(input)
      expect(problems).not.toEqual([])
      expect(problems.join()).not.toContain(secret)
    }
  })
})
