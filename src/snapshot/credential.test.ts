import { expect, test } from 'bun:test'
import { createSealer } from '../core/access/seal.ts'
import { Fault } from '../core/fault.ts'
import { createCredentialReader, sealCredential } from './credential.ts'

const sealer = createSealer(new Uint8Array(32).fill(1))
const read = createCredentialReader(sealer, (name) => (name === 'PONTO_SECRET_A' ? 'sk-a' : undefined))
const url = 'https://api.example/v1'

test('a sealed credential opens for its deployment, whatever the spelling, and any path of its origin', () => {
  const credential = sealCredential(sealer, 'GPT', url, 'sk-secret')
  expect(JSON.stringify(credential)).not.toContain('sk-secret')
  expect(read('gpt', { url, credential })).toBe('sk-secret')
  expect(read('gpt', { url: 'https://API.example:443/v2/', credential })).toBe('sk-secret')
})

test.each([
  ['another deployment', 'gpt-2', url],
  ['another host', 'gpt', 'https://evil.example/v1'],
  ['another port', 'gpt', 'https://api.example:444/v1'],
  ['another scheme', 'gpt', 'http://api.example/v1'],
])('it does not open for %s', (_what, deployment, otherUrl) => {
  const credential = sealCredential(sealer, 'gpt', url, 'sk-secret')
  expect(() => read(deployment, { url: otherUrl, credential })).toThrow('does not open with this master key')
})

test('a variable is read each time, and named when it is not set', () => {
  expect(read('gpt', { url, credential: { env: 'PONTO_SECRET_A' } })).toBe('sk-a')
  try {
    read('gpt', { url, credential: { env: 'PONTO_SECRET_B' } })
    expect.unreachable()
  } catch (error) {
    expect(error).toBeInstanceOf(Fault)
    expect((error as Fault).code).toBe('upstream-misconfigured')
    expect((error as Fault).message).toBe(
      'The credential of deployment "gpt" is in the variable PONTO_SECRET_B, which is not set.',
    )
  }
})

test('no credential is no secret', () => {
  expect(read('gpt', { url, credential: undefined })).toBeUndefined()
})
