import { expect, test } from 'bun:test'
import { formatProblem } from '../../core/text/parse-document.ts'
import { readEngine } from './engine-spec.ts'

const planted = 'sk-planted-secret'
const options = {
  readSecret: (name: string) => (name === 'PONTO_SECRET_SET' ? planted : undefined),
  credentialRule: 'a credential',
  deployments: ['guard-model', 'other'],
}

function problemsOf(input: object): string[] {
  const reading = readEngine({ name: 'mine', ...input }, options)
  return 'problems' in reading ? reading.problems.map(formatProblem) : []
}

const guard = { kind: 'guard', deployment: 'guard-model', profile: 'qwen3guard' }
const http = { kind: 'http', url: 'https://filter.example/v1' }

test('a guard model behind a deployment, and services', () => {
  expect(readEngine({ name: 'mine', ...guard, deployment: 'GUARD-model' }, options)).toEqual({
    spec: { name: 'mine', ...guard, deployment: 'GUARD-model' } as never,
  })
  expect(
    readEngine(
      { name: 'mine', ...http, credential: { env: 'PONTO_SECRET_SET' }, deadlineMs: { prompt: 900 }, maxChars: 5_000 },
      options,
    ),
  ).toMatchObject({ spec: { deadlineMs: { prompt: 900, window: 800 }, maxChars: 5_000 } })
})

test.each<[string, object, string[]]>([
  [
    'the name of the embedded engine',
    { ...http, name: 'Builtin' },
    ['name: got "Builtin", expected another name: "builtin" is the embedded engine'],
  ],
  [
    'an unknown deployment',
    { ...guard, deployment: 'gard' },
    ['deployment: got "gard", expected one of "guard-model", "other"'],
  ],
  [
    'no profile',
    { kind: 'guard', deployment: 'other' },
    [expect.stringMatching(/^profile: is needed: one of /) as never],
  ],
  ['no address', { kind: 'http' }, ['url: is needed by an engine of kind http']],
  [
    'an address that guards have not',
    { ...guard, url: 'https://a.example' },
    ['url: is not for an engine of kind guard'],
  ],
  [
    'an address that may not be asked',
    { ...http, url: 'http://169.254.169.254/latest' },
    [expect.stringMatching(/^url: the address 169\.254\.169\.254 is refused: /) as never],
  ],
  [
    'a user in an address',
    { ...http, url: `https://me:${planted}@filter.example` },
    ['url: must be a URL that begins with http:// or https:// and holds no name or password'],
  ],
  [
    'a variable that is not set',
    { ...http, credential: { env: 'PONTO_SECRET_UNSET' } },
    [
      'credential.env: the variable PONTO_SECRET_UNSET is not set; set it where Ponto is started, and start Ponto again',
    ],
  ],
  ['a credential that is none', { ...http, credential: planted }, ['credential: got a string, expected a credential']],
  [
    'an unknown option',
    { ...http, options: { colour: 'red' } },
    [expect.stringMatching(/^options\.colour: /) as never],
  ],
  [
    'too long a deadline',
    { ...http, deadlineMs: { prompt: 1e9 } },
    ['deadlineMs.prompt: got 1000000000, expected at most 600000'],
  ],
])('%s is refused', (_what, input, problems) => {
  const found = problemsOf(input)
  expect(found).toEqual(problems)
  expect(found.join()).not.toContain(planted)
})

test('an unknown kind and an unknown profile are refused with those there are', () => {
  expect(problemsOf({ kind: 'magic' })[0]).toStartWith('kind: got "magic", expected one of "guard", ')
  expect(problemsOf({ ...guard, profile: 'magic' })[0]).toStartWith(
    'profile: got "magic", expected one of "llama-guard-3", ',
  )
})
