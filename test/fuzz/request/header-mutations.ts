import type { RequestDraft, RequestMutation } from './draft.ts'

/** Keys of all kinds, hosts, and headers that mean something to somebody. */

const addHeader = (name: string, ...values: readonly string[]): RequestMutation => ({
  name: `header ${name}`,
  apply: (draft, random) => void draft.headers.push([name, random.pick(values)]),
})
const replaceHeader = (name: string, ...values: readonly string[]): RequestMutation => ({
  name: `header ${name}`,
  apply: (draft, random) => {
    const lower = name.toLowerCase()
    draft.headers = [...draft.headers.filter(([other]) => other.toLowerCase() !== lower), [name, random.pick(values)]]
  },
})
const isCredential = (name: string): boolean => /^(api-key|x-api-key|authorization)$/i.test(name)
const withoutCredential = (draft: RequestDraft): [string, string][] =>
  draft.headers.filter(([name]) => !isCredential(name))

export const headerMutations: readonly RequestMutation[] = [
  {
    name: 'no key',
    apply: (draft) => {
      draft.headers = withoutCredential(draft)
    },
  },
  {
    name: 'key',
    apply: (draft, random, { key, managementCredential }) => {
      const value = random.pick([
        '',
        ' ',
        'wrong',
        `${key}x`,
        key.slice(1),
        key.toLowerCase(),
        'k\xe9y',
        'x'.repeat(10_000),
        'Bearer',
        'Bearer ',
        `Bearer  ${key}`,
        `bearer ${key}`,
        `Basic ${btoa('a:b')}`,
        `Bearer ${key}, Bearer x`,
        managementCredential,
        `Bearer ${managementCredential}`,
        key,
      ])
      draft.headers = [...withoutCredential(draft), [random.pick(['api-key', 'x-api-key', 'Authorization']), value]]
    },
  },
  {
    name: 'two keys',
    apply: (draft, random) => void draft.headers.push([random.pick(['api-key', 'Authorization']), 'Bearer other']),
  },
  replaceHeader(
    'Content-Type',
    '',
    'text/plain',
    'application/json; charset=utf-16',
    'multipart/form-data',
    'multipart/form-data; boundary=x',
    'multipart/form-data; boundary="',
    'application/x-www-form-urlencoded',
    'APPLICATION/JSON',
    'x'.repeat(5000),
    'application/json\xff',
  ),
  addHeader('extra-parameters', 'error', 'drop', 'pass-through', 'PASS-THROUGH', 'x', '', 'drop, error', '\xff'),
  addHeader('x-ms-model-mesh-model-name', 'good00-openai', 'none', '', '\xe9', 'x'.repeat(9000), 'a, b'),
  addHeader('x-ms-client-request-id', 'a b', '\xe9', 'x'.repeat(500), '<script>', '', 'id-1'),
  addHeader('anthropic-version', '2023-06-01', 'x', '', '\xff'),
  addHeader('anthropic-beta', 'a,b', 'x'.repeat(9000), '\xff', ''),
  addHeader('Accept', 'text/event-stream', '*/*', '', 'x/y;q=2'),
  addHeader('Accept-Encoding', 'gzip', 'br;q=0', '\xff'),
  addHeader('Content-Encoding', 'gzip', 'br', 'identity', 'x'),
  addHeader('Expect', '100-continue', 'x'),
  addHeader('Connection', 'close', 'keep-alive', 'upgrade', 'x, close'),
  addHeader('Upgrade', 'websocket', 'h2c'),
  addHeader('Origin', 'http://evil.example', 'null', '', '\xff'),
  addHeader('Access-Control-Request-Headers', 'x', '\xff', 'x'.repeat(9000)),
  addHeader('If-Match', '*', '"x"', '', 'x'.repeat(9000), '\xff'),
  addHeader('If-None-Match', '*', '"x"', ''),
  addHeader('Range', 'bytes=0-1', 'x'),
  addHeader('Cookie', 'a=b; c', 'x'.repeat(4000)),
  addHeader('X-Forwarded-For', '127.0.0.1', 'x'),
  addHeader('x-stainless-retry-count', '5', 'x'),
  addHeader(
    'x-policy-id',
    'strict',
    'ASYNC',
    'async-azure',
    'Microsoft.DefaultV2',
    'Microsoft.Nil',
    'none',
    '',
    '\xff',
  ),
  addHeader('x-content-filter-explain', 'true', 'false', '', '\xff'),
  {
    name: 'many headers',
    apply: (draft, random) => {
      const count = random.pick([50, 150, 500])
      for (let i = 0; i < count; i++) draft.headers.push([`x-many-${i}`, 'y'])
    },
  },
  {
    name: 'huge header',
    apply: (draft, random) => void draft.headers.push(['x-huge', 'z'.repeat(random.pick([8000, 20_000, 200_000]))]),
  },
  {
    name: 'host',
    apply: (draft, random) => {
      const rest = draft.headers.filter(([name]) => name !== 'Host')
      const hosts = [
        '',
        'evil.example',
        'a/b',
        'a?b',
        'a#b',
        'a@b',
        '[::1]',
        '[::1',
        'x:99999',
        'x:y',
        '\xe9',
        'a b',
        '..',
        'x'.repeat(5000),
        '%00',
        '127.1',
        '0x7f.1',
        'xn--a',
      ]
      draft.headers = random.chance(0.1) ? rest : [['Host', random.pick(hosts)], ...rest]
      draft.isPathKnown = false
    },
  },
  {
    name: 'leave after request',
    apply: (draft) => {
      draft.leave = 'after-request'
    },
  },
  {
    name: 'leave after first byte',
    apply: (draft) => {
      draft.leave = 'after-first-byte'
    },
  },
]
