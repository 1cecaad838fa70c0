import { describe, expect, test } from 'bun:test'
import { parseConfig } from './parse-config.ts'
import { decodeWebhookSecret } from './webhook-section.ts'

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const variables: Readonly<Record<string, string>> = { PONTO_SECRET_HOOK: secret, PONTO_SECRET_BAD: 'hush-hush' }
const options = { builtinModels: [], readSecret: (name: string) => variables[name], now: () => 0 }

function problemsOf(text: string): string[] {
  const reading = parseConfig(text, 'ponto.yaml', options)
  return reading.isValid ? [] : reading.problems.map((problem) => `${problem.line}: ${problem.text}`)
}

const hook = (fields = '', url = 'https://hooks.example/x?sig=s3cret') =>
  `webhooks:\n  - name: ops\n    url: ${url}\n    secret: { env: PONTO_SECRET_HOOK }\n    events: [batch.completed]\n${fields}`

test('a webhook is what the file says', () => {
  const reading = parseConfig(hook('    owner: ci\n'), 'ponto.yaml', options)
  expect(reading.isValid && reading.webhooks).toEqual([
    {
      name: 'ops',
      url: 'https://hooks.example/x?sig=s3cret',
      secret: { env: 'PONTO_SECRET_HOOK' },
      events: ['batch.completed'],
      owner: 'ci',
    },
  ])
})

test.each(['http://localhost:1/x', 'http://127.3.2.1/x', 'http://[::1]:8080/x', 'https://10.0.0.5/x'])(
  '%s may be told',
  (url) => expect(problemsOf(hook('', url))).toEqual([]),
)

describe('refused with the place and a way out', () => {
  test.each([
    ['http://hooks.example/x', '3: webhooks[0].url: got http:// beyond this machine, expected https://'],
    ['http://10.0.0.5/x', '3: webhooks[0].url: got http:// beyond this machine'],
    ['https://169.254.169.254/latest', '3: webhooks[0].url: the address 169.254.169.254 is refused'],
    ['https://0xa9fea9fe/latest', '3: webhooks[0].url: the address 169.254.169.254 is refused'],
    ['https://me:pw@hooks.example/x', '3: webhooks[0].url: a user or password does not belong in a URL'],
    ['"https://hooks.example/x#a"', '3: webhooks[0].url: got a fragment'],
    ['ftp://hooks.example/x?sig=s3cret', '3: webhooks[0].url: '],
  ])('%s', (url, text) => {
    const [first = '', ...others] = problemsOf(hook('', url))
    expect(first).toStartWith(text)
    expect(others).toEqual([])
    expect(first).not.toMatch(/pw|s3cret/)
  })

  test.each([
    ['a secret in the file', 'secret: { env: PONTO_SECRET_HOOK }', 'secret: whsec_abc', 'secret: expected {env:'],
    ['the same as a value', '{ env: PONTO_SECRET_HOOK }', '{ value: whsec_abc }', 'secret.value: unknown field'],
    ['a variable that is not set', 'SECRET_HOOK', 'SECRET_NONE', 'the variable PONTO_SECRET_NONE is not set'],
    ['a variable of something else', 'PONTO_SECRET_HOOK', 'HOME', 'a variable whose name begins with PONTO_SECRET_'],
    ['what is no such secret', 'SECRET_HOOK', 'SECRET_BAD', 'echo "whsec_$(openssl rand -base64 32)"'],
    ['an unknown event', 'batch.completed', 'batch.done', '"batch.completed", "batch.failed"'],
    ['no event', '[batch.completed]', '[]', 'events: '],
    ['an event twice', '[batch.completed]', '[batch.completed, batch.completed]', 'each event once'],
    ['a name with a slash', 'ops', 'a/b', '1 to 64 letters'],
    ['an unknown field', 'name: ops', 'name: ops\n    retries: 3', 'retries: unknown field'],
  ])('%s', (_name, from, to, text) => {
    const told = problemsOf(hook().replace(from, to)).join('\n')
    expect(told).toContain(text)
    expect(told).not.toMatch(/hush|whsec_abc/)
  })

  test('a name twice', () => {
    const again = hook().replace('webhooks:\n', '').replace('ops', 'OPS')
    expect(problemsOf(hook(again))).toEqual([
      '6: webhooks[1].name: webhooks[0] has this name already (names match without regard to case)',
    ])
  })
})

test('a secret is whsec_ and as many octets as Standard Webhooks wants', () => {
  expect(decodeWebhookSecret(secret)).toEqual(Buffer.alloc(32, 7))
  const of = (octets: number) => decodeWebhookSecret(`whsec_${Buffer.alloc(octets).toString('base64')}`)?.length
  expect([0, 23, 24, 64, 65].map(of)).toEqual([undefined, undefined, 24, 64, undefined])
  expect(decodeWebhookSecret(secret.slice(6))).toBeUndefined()
})
