import { expect, test } from 'bun:test'
import { readAzureAccount, readBlobStore, readS3Credentials } from './read-blob-store.ts'

const read = (text: string) => readBlobStore(text, '--files')

test('reads every place', () => {
  expect(read('disk')).toEqual({ kind: 'disk' })
  expect(read('s3://my-bucket?region=eu-central-1')).toEqual({
    kind: 's3',
    bucket: 'my-bucket',
    region: 'eu-central-1',
  })
  expect(read('s3://my.bucket/ponto/prod/?endpoint=http://minio:9000&style=virtual')).toEqual({
    kind: 's3',
    bucket: 'my.bucket',
    prefix: 'ponto/prod',
    region: 'us-east-1',
    endpoint: 'http://minio:9000',
    isPathStyle: false,
  })
  expect(read('s3://my-bucket/?region=r&endpoint=https%3A%2F%2Fs.example%2Fbase&style=path')).toMatchObject({
    endpoint: 'https://s.example/base',
    isPathStyle: true,
  })
  expect(read('azure://files')).toEqual({ kind: 'azure', container: 'files' })
  expect(read('azure://files/Ponto_1')).toEqual({ kind: 'azure', container: 'files', prefix: 'Ponto_1' })
})

test.each([
  ['', 'got no place for files, expected "disk", "s3://'],
  ['/var/lib/files', 'got no place for files'],
  ['ftp://host', 'got no place for files'],
  ['s3://key:geheim@my-bucket?region=r', 'got a secret or a "#" in it'],
  ['s3://my-bucket', 'region: expected the region of the bucket'],
  ['s3://my-bucket?region=EU Central', 'region: got "EU Central"'],
  ['s3://?region=r', 'got the bucket ""'],
  ['s3://My_Bucket?region=r', 'got the bucket "My_Bucket"'],
  ['s3://a..b?region=r', 'got the bucket "a..b"'],
  ['s3://my-bucket/../x?region=r', 'got the prefix "../x"'],
  ['s3://my-bucket/a b?region=r', 'got the prefix "a b"'],
  [
    's3://my-bucket?region=r&region=s',
    'got the parameter "region", expected each of region, endpoint, style once at most',
  ],
  ['s3://my-bucket?region=r&secret=geheim', 'got the parameter "secret"'],
  ['s3://my-bucket?region=r&style=other', 'style: got "other"'],
  ['s3://my-bucket?endpoint=minio', 'endpoint: expected a URL'],
  ['s3://my-bucket?endpoint=https://user:geheim@minio', 'endpoint: expected a URL'],
  ['azure://files?x=1', 'got the parameter "x", expected none'],
  ['azure://Files', 'got the container "Files"'],
  ['azure://a--b', 'got the container "a--b"'],
])('says what is wrong with %j', (text, problem) => {
  expect(() => read(text)).toThrow(`--files: ${problem}`)
  expect(() => read(text)).not.toThrow('geheim')
})

test('takes secrets from their variables, and names the one that is not set', () => {
  const from = (secrets: Record<string, string>) => (name: string) => secrets[name]
  const key = { PONTO_SECRET_S3_ACCESS_KEY_ID: 'id', PONTO_SECRET_S3_SECRET_ACCESS_KEY: 'secret' }
  expect(readS3Credentials(from(key))).toEqual({ accessKeyId: 'id', secretAccessKey: 'secret' })
  expect(readS3Credentials(from({ ...key, PONTO_SECRET_S3_SESSION_TOKEN: 't' })).sessionToken).toBe('t')
  expect(() => readS3Credentials(from({ PONTO_SECRET_S3_ACCESS_KEY_ID: 'id' }))).toThrow(
    'the variable PONTO_SECRET_S3_SECRET_ACCESS_KEY is not set',
  )
  const connection = { PONTO_SECRET_AZURE_STORAGE: 'AccountName=mine;AccountKey=YQ==' }
  expect(readAzureAccount(from(connection))).toMatchObject({ name: 'mine', key: 'YQ==' })
  expect(() => readAzureAccount(from({}))).toThrow('the variable PONTO_SECRET_AZURE_STORAGE is not set')
  expect(() => readAzureAccount(from({ PONTO_SECRET_AZURE_STORAGE: 'x' }))).toThrow(
    'PONTO_SECRET_AZURE_STORAGE: got a part',
  )
})
