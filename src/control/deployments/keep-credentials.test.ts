import { describe, expect, test } from 'bun:test'
import type { Json } from '../../core/json.ts'
import { formatProblem } from '../../core/text/parse-document.ts'
import { type DeploymentSpec, deploymentSpecSchema } from '../../snapshot/deployment-spec.ts'
import { keepCredentials } from './keep-credentials.ts'

const url = 'https://api.example/v1'
const kept = { stored: true }
const sealed = (name: string) => ({ sealed: `v1.${name}` })
const store = (...backends: { url: string; credential?: { sealed: string } | { env: string } }[]): DeploymentSpec =>
  deploymentSpecSchema.parse({ name: 'gpt', model: { name: 'm' }, backends })

/** The credentials after keeping, or the problems. */
function keep(stored: DeploymentSpec | undefined, ...backends: Json[]): unknown[] {
  const result = keepCredentials({ backends }, stored)
  if ('problems' in result) return result.problems.map(formatProblem)
  return (result.input.backends as { credential?: Json }[]).map(({ credential }) => credential)
}

describe('keepCredentials', () => {
  const one = store({ url, credential: sealed('a') })

  test.each<[string, Json, unknown]>([
    ['left out at the same URL: kept', { url }, sealed('a')],
    ['left out at the same URL, spelled otherwise: kept', { url: 'https://API.example:443/v1' }, sealed('a')],
    ['left out at another path: none', { url: 'https://api.example/v2' }, undefined],
    ['left out at another host: none', { url: 'https://other.example/v1' }, undefined],
    ['left out with auth none: none', { url, auth: 'none' }, undefined],
    ['null: none', { url, credential: null }, undefined],
    ['marked as stored: kept', { url, credential: kept }, sealed('a')],
    ['marked as stored at another path: kept', { url: 'https://api.example/v2', credential: kept }, sealed('a')],
    ['given anew: as given', { url, credential: { value: 'new' } }, { value: 'new' }],
    ['another variable: as given', { url, credential: { env: 'PONTO_SECRET_B' } }, { env: 'PONTO_SECRET_B' }],
  ])('%s', (_what, backend, credential) => {
    expect(keep(one, backend)).toEqual([credential])
  })

  test.each([
    'https://other.example/v1',
    'http://api.example/v1',
    'https://api.example:8443/v1',
    'https://api.example.evil.example/v1',
    'https://api.example@evil.example/v1',
  ])('is refused for %s: what is stored is not sent elsewhere', (elsewhere) => {
    expect(keep(one, { url: elsewhere, credential: kept })).toEqual([
      'backends[0].credential: got {"stored": true}, but what is stored was given for https://api.example and is not sent ' +
        'elsewhere; give the credential again',
    ])
  })

  test('there is nothing to keep of what is not stored', () => {
    const message =
      'backends[0].credential: got {"stored": true}, but no credential is stored; give it as {"value": ...} or {"env": ...}'
    expect(keep(undefined, { url, credential: kept })).toEqual([message])
    expect(keep(store({ url }), { url, credential: kept })).toEqual([message])
  })

  test('a sealed secret is not taken from outside', () => {
    const [problem] = keep(one, { url, credential: sealed('a') })
    expect(problem).toStartWith('backends[0].credential: got a sealed secret, expected {"value": "the secret"}')
  })

  test('a variable is kept as well', () => {
    const stored = store({ url, credential: { env: 'PONTO_SECRET_A' } })
    expect(keep(stored, { url })).toEqual([{ env: 'PONTO_SECRET_A' }])
  })

  test('backends are matched by URL, not by place; several with one URL in order', () => {
    const other = 'https://other.example/v1'
    const stored = store(
      { url, credential: sealed('a') },
      { url: other, credential: sealed('o') },
      { url, credential: sealed('b') },
    )
    expect(keep(stored, { url: other }, { url }, { url, credential: kept })).toEqual([
      sealed('o'),
      sealed('a'),
      sealed('b'),
    ])
    expect(keep(stored, { url }, { url }, { url })).toEqual([sealed('a'), sealed('b'), undefined])
  })

  test('the same URL goes before the same origin', () => {
    const stored = store({ url, credential: sealed('a') }, { url: 'https://api.example/v2', credential: sealed('b') })
    expect(keep(stored, { url: 'https://api.example/v3', credential: kept }, { url })).toEqual([
      sealed('b'),
      sealed('a'),
    ])
  })

  test('what is no list of backends is left for others to judge', () => {
    expect(keepCredentials({ backends: 'x' }, one)).toEqual({ input: { backends: 'x' } })
    expect(keep(one, 5 as Json, { url: 5 })).toEqual([undefined, undefined])
  })
})
