import { expect, test } from 'bun:test'
import { readConnectionString } from './account.ts'

const read = (text: string) => readConnectionString(text, 'PONTO_SECRET_X')

test('reads what the portal gives', () => {
  expect(
    read('DefaultEndpointsProtocol=https;AccountName=mine;AccountKey=c2VjcmV0IGtleQ==;EndpointSuffix=core.windows.net'),
  ).toEqual({ name: 'mine', endpoint: 'https://mine.blob.core.windows.net', key: 'c2VjcmV0IGtleQ==' })
  expect(read('AccountName=mine;AccountKey=YQ==;EndpointSuffix=core.chinacloudapi.cn;')).toMatchObject({
    endpoint: 'https://mine.blob.core.chinacloudapi.cn',
  })
})

test('reads one for a stand-in and one with a signature', () => {
  expect(read('AccountName=dev;AccountKey=YQ==;BlobEndpoint=http://127.0.0.1:10000/dev/')).toEqual({
    name: 'dev',
    endpoint: 'http://127.0.0.1:10000/dev',
    key: 'YQ==',
  })
  expect(read('BlobEndpoint=https://mine.blob.core.windows.net/;SharedAccessSignature=?sv=1&sig=a%3D')).toEqual({
    name: 'mine',
    endpoint: 'https://mine.blob.core.windows.net',
    sas: 'sv=1&sig=a%3D',
  })
})

test.each([
  ['', 'got neither AccountName nor BlobEndpoint'],
  ['geheim', 'got a part without "=" in it'],
  ['AccountName=geheim', 'got neither AccountKey nor SharedAccessSignature'],
  ['AccountName=geheim;AccountKey=not base64!', 'AccountKey is not in Base64'],
  ['BlobEndpoint=geheim;AccountKey=YQ==', 'BlobEndpoint is no URL'],
  ['BlobEndpoint=ftp://geheim;AccountKey=YQ==', 'BlobEndpoint is no URL'],
])('says what is wrong with %j and repeats nothing of it', (text, problem) => {
  expect(() => read(text)).toThrow(`PONTO_SECRET_X: ${problem}. Copy the connection string`)
  expect(() => read(text)).not.toThrow('geheim')
})
