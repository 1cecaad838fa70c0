import { expect, test } from 'bun:test'
import { createS3Requests } from './requests.ts'
import { signS3Request } from './sign.ts'

/** The examples that AWS gives with the description of its signatures for S3. */

const credentials = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
}
const base = {
  host: 'examplebucket.s3.amazonaws.com',
  method: 'GET',
  path: '/',
  query: {},
  headers: {},
  body: new Uint8Array(),
  region: 'us-east-1',
  now: Date.UTC(2013, 4, 24),
}
const signatureOf = (request: Partial<typeof base>) =>
  signS3Request(credentials, { ...base, ...request }).authorization?.split('Signature=')[1]

test.each([
  [
    { path: '/test.txt', headers: { range: 'bytes=0-9' } },
    'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  ],
  [
    {
      method: 'PUT',
      path: '/test%24file.text',
      headers: { date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' },
      body: new TextEncoder().encode('Welcome to Amazon S3.'),
    },
    '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  ],
  [{ query: { lifecycle: '' } }, 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543'],
  [{ query: { prefix: 'J', 'max-keys': '2' } }, '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'],
])('a request is signed as in the example: %j', (request, signature) => {
  expect(signatureOf(request as Partial<typeof base>)).toBe(signature)
})

test('a query with a slash is signed as botocore signs it', () => {
  const request = { host: '127.0.0.1:9000', path: '/checked/', query: { 'list-type': '2', prefix: 'a/files/' } }
  expect(signatureOf(request)).toBe('04811103608a9b83d02c0078cad750e858ae9b98cbff1f4ddfda8cf94684e700')
})

test('a session token is sent and signed', () => {
  const headers = signS3Request({ ...credentials, sessionToken: 'token' }, base)
  expect(headers['x-amz-security-token']).toBe('token')
  expect(headers.authorization).toContain('SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,')
})

test('the bucket stands in the name of the host, or in the path', () => {
  const urlOf = (options: { endpoint?: string; isPathStyle?: boolean }) => {
    const requests = createS3Requests({ bucket: 'my-bucket', region: 'eu-central-1', credentials, ...options })
    const query = { uploads: '', prefix: 'a/b' }
    return requests.sign({ method: 'GET', path: requests.pathOf('files/a'), query }).url
  }
  const rest = 'files/a?prefix=a%2Fb&uploads='
  expect(urlOf({})).toBe(`https://my-bucket.s3.eu-central-1.amazonaws.com/${rest}`)
  expect(urlOf({ isPathStyle: true })).toBe(`https://s3.eu-central-1.amazonaws.com/my-bucket/${rest}`)
  expect(urlOf({ endpoint: 'http://minio:9000' })).toBe(`http://minio:9000/my-bucket/${rest}`)
  expect(urlOf({ endpoint: 'https://store.example/s3/' })).toBe(`https://store.example/s3/my-bucket/${rest}`)
  expect(urlOf({ endpoint: 'https://store.example', isPathStyle: false })).toBe(
    `https://my-bucket.store.example/${rest}`,
  )
})

test('what goes over TLS is not hashed, and what goes without is', () => {
  const hashOf = (endpoint: string, body?: Uint8Array) =>
    createS3Requests({ bucket: 'b', region: 'r', credentials, endpoint }).sign({ method: 'PUT', path: '/b/a', body })
      .headers['x-amz-content-sha256']
  const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
  expect(hashOf('https://s', new Uint8Array(1))).toBe('UNSIGNED-PAYLOAD')
  expect(hashOf('https://s')).toBe(empty)
  expect(hashOf('http://s', new Uint8Array(1))).toBe('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d')
})
