import { expect, test } from 'bun:test'
import { signRequest } from './sign-request.ts'

/** The signatures are those that aws4fetch 1.0.20 makes of the same requests. */

const key = { id: 'AKIDEXAMPLE00000', secret: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
const part = {
  method: 'POST',
  host: 'bedrock-runtime.eu-central-1.amazonaws.com',
  path: '/guardrail/arn%3Aaws%3Abedrock%3Aeu-central-1%3A1%3Aguardrail%2Fabc/version/DRAFT/apply',
  body: '{"text":"é"}',
  region: 'eu-central-1',
  service: 'bedrock',
  now: Date.UTC(2015, 7, 30, 12, 36, 0),
}
const scope = 'Credential=AKIDEXAMPLE00000/20150830/eu-central-1/bedrock/aws4_request'

test('a request is signed as others sign it', () => {
  const headers = signRequest(key, part)
  expect(Object.keys(headers).sort()).toEqual(['authorization', 'x-amz-content-sha256', 'x-amz-date'])
  expect(headers['x-amz-date']).toBe('20150830T123600Z')
  expect(headers.authorization).toBe(
    `AWS4-HMAC-SHA256 ${scope}, SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date, ` +
      'Signature=0950cc4531f1b6ac985183890184d1373aad2fce288d69d98b52b87ef6fb55e6',
  )
})

test('a session token is sent and signed', () => {
  const headers = signRequest({ ...key, session: 'SESSION/TOKEN==' }, part)
  expect(headers['x-amz-security-token']).toBe('SESSION/TOKEN==')
  expect(headers.authorization).toBe(
    `AWS4-HMAC-SHA256 ${scope}, SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token, ` +
      'Signature=ec87eba3d758bf4df169c1fad50bfba0c973040dc0898bf03c268d3501ddeba3',
  )
})

test('whatever changes, the signature does', () => {
  const signatures = [
    part,
    { ...part, body: '{}' },
    { ...part, path: '/x' },
    { ...part, path: '/x?a=1' },
    { ...part, now: 0 },
  ].map((each) => signRequest(key, each).authorization)
  expect(new Set(signatures).size).toBe(5)
})
