import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { listTrustVariables } from '../../boot/client-environment.ts'
import { createDataFolder, type DataFolder, locateDataFolder } from '../../boot/folder/data-folder.ts'
import { lockDataFolder } from '../../boot/folder/folder-lock.ts'
import { tlsFiles } from '../../boot/tls/certificate.ts'
import type { Status } from '../../control/api.ts'
import type { Check, Environment, Input, Probes } from '../context.ts'
import { type Answer, type FakeManagement, startFakeManagement } from '../management.fixture.ts'
import { runProgram } from '../program.ts'
import { checkCertificate } from './check-files.ts'

let folder: DataFolder
let server: FakeManagement | undefined
beforeEach(() => {
  const given = mkdtempSync(join(tmpdir(), 'ponto-doctor-'))
  chmodSync(given, 0o700)
  folder = locateDataFolder({ given, homeFolder: given })
})
afterEach(async () => {
  await server?.stop()
  server = undefined
  rmSync(folder.path, { recursive: true, force: true })
})

async function doctor(args: string[] = [], env: Environment = {}, probes?: Probes) {
  const ran = { code: -1, out: '', err: '' }
  ran.code = await runProgram(
    {
      up: () => Promise.reject(new Error('not asked for')),
      env: { PONTO_DATA: folder.path, PONTO_PORT: '0', PONTO_HTTP_PORT: '0', ...env },
      stdin: process.stdin as Input,
      stdout: { write: (text) => (ran.out += text) },
      stderr: { write: (text) => (ran.err += text) },
      version: '1.2.3',
      ...(probes ? { probes } : {}),
    },
    ['doctor', ...args],
  )
  return ran
}

async function checks(env: Environment = {}, probes?: Probes): Promise<Check[]> {
  return JSON.parse((await doctor(['--output', 'json'], env, probes)).out)
}
const named = (all: readonly Check[], name: string) => all.filter((check) => check.name === name)

const status: Status = {
  name: 'ponto',
  version: '1.2.3',
  pid: 42,
  startedAt: '2026-01-02T03:04:05Z',
  endpoints: ['https://localhost:8443'],
  dataFolder: '/x',
  engine: { state: 'ready', detail: 'builtin-nano' },
  deployments: 2,
  warnings: [],
}

async function serve(change: Partial<Status> = {}, probe: Answer = { status: 200, body: { value: [] } }) {
  server = await startFakeManagement(folder, ({ path }) => {
    if (path === '/management/status') return { status: 200, body: { ...status, ...change } }
    if (path === '/management/deployments')
      return { status: 200, body: { value: [{ name: 'a' }, { name: 'b', backends: [{}] }] } }
    return path === '/management/deployments/b/probe' ? probe : { status: 404, body: {} }
  })
}
const trusting = () => Object.fromEntries(listTrustVariables(folder))

describe('all is well', () => {
  test('with a running server', async () => {
    await serve(
      {},
      { status: 200, body: { value: [{ backend: 'api.example.com', ok: true, detail: '200 in 31 ms' }] } },
    )
    const ran = await doctor([], trusting())
    expect(ran).toMatchObject({ code: 0, err: '' })
    const lines = ran.out.trimEnd().split('\n')
    expect(lines.map((line) => line.slice(0, 4))).toEqual(Array(6).fill('ok  '))
    expect(ran.out).toContain('api.example.com: 200 in 31 ms')
  })

  test('before the first start: nothing fails', async () => {
    rmSync(folder.path, { recursive: true })
    const ran = await doctor()
    expect(ran).toMatchObject({ code: 0, err: '' })
    expect(ran.out).toContain('-> npm start')
  })
})

describe('what is found', () => {
  test('a port somebody else has, and the flag that moves ours', async () => {
    const other = createServer()
    await new Promise<void>((settle) => other.listen(0, '127.0.0.1', settle))
    const { port } = other.address() as AddressInfo
    const ran = await doctor(['--port', String(port)])
    other.close()
    expect(ran).toMatchObject({ code: 1, err: 'error: one check failed\n' })
    expect(ran.out).toMatch(
      new RegExp(`^fail  port ${port} +another program listens on 127\\.0\\.0\\.1\\n +-> .*--port N$`, 'm'),
    )
  })

  test('a folder and secrets that are open to others', async () => {
    await serve()
    chmodSync(folder.path, 0o755)
    chmodSync(tlsFiles(folder).authorityKey, 0o644)
    const all = await checks(trusting())
    expect(named(all, 'data folder')).toMatchObject([{ level: 'warn', fix: `chmod 700 ${folder.path}` }])
    expect(named(all, 'secrets')).toMatchObject([{ level: 'fail', fix: `chmod 600 ${tlsFiles(folder).authorityKey}` }])
  })

  test('a process that holds the folder and does not answer', async () => {
    createDataFolder(folder)
    const lock = lockDataFolder(folder)
    const found = named(await checks(), 'server')
    lock.release()
    expect(found).toMatchObject([{ level: 'fail', fix: `Look at what it printed, or stop it: kill ${process.pid}` }])
  })

  test('a refused configuration, a broken engine, warnings', async () => {
    const configFile = { path: 'ponto.yaml', error: 'line 3: unknown key' }
    await serve({ configFile, engine: { state: 'failed', detail: 'exit code 1' }, warnings: ['No chat model.'] })
    const all = await checks(trusting())
    expect(named(all, 'configuration')).toMatchObject([
      { level: 'fail', detail: 'the last change was refused: line 3: unknown key' },
    ])
    expect(named(all, 'engine')).toMatchObject([{ level: 'fail', detail: 'failed: exit code 1' }])
    expect(named(all, 'server')).toMatchObject([{ level: 'ok' }, { level: 'warn', detail: 'No chat model.' }])
  })

  test('an upstream that does not answer', async () => {
    await serve(
      {},
      { status: 200, body: { value: [{ backend: 'api.example.com', ok: false, detail: 'connection refused' }] } },
    )
    expect(named(await checks(trusting()), 'upstream of b')).toMatchObject([
      { level: 'fail', detail: 'api.example.com: connection refused' },
    ])
  })

  test('trust that is not set, points elsewhere, or at nothing', async () => {
    await serve()
    const elsewhere = join(folder.path, 'other.pem')
    writeFileSync(elsewhere, 'x')
    const env = { NODE_EXTRA_CA_CERTS: '/no/such.pem', SSL_CERT_FILE: elsewhere, JAVA_TOOL_OPTIONS: '-Xmx1g' }
    const found = named(await checks(env), 'trust')
    expect(found.map(({ level, detail }) => `${level} ${detail}`)).toEqual([
      'fail NODE_EXTRA_CA_CERTS names /no/such.pem, which does not exist',
      `warn SSL_CERT_FILE names ${elsewhere}, which lacks the authority of this data folder`,
      'warn JAVA_TOOL_OPTIONS does not name the trust store of this data folder',
      'warn not set in this shell: REQUESTS_CA_BUNDLE',
    ])
  })

  test('a certificate near its end, past it, and of another key', async () => {
    await serve()
    const at = (days: number) => checkCertificate(folder, undefined, new Date(Date.now() + days * 86_400_000))[0]
    expect([at(0), at(380), at(400)].map((check) => check?.level)).toEqual(['ok', 'warn', 'fail'])
    writeFileSync(tlsFiles(folder).serverKey, '')
    expect(named(await checks(trusting()), 'certificate')).toMatchObject([{ level: 'fail' }])
  })

  test('what the probes of the program find, and that a probe breaks', async () => {
    const probes: Probes = {
      database: async () => ({
        name: 'database',
        level: 'fail',
        detail: 'schema 9 is newer than this program',
        fix: 'Update it',
      }),
      files: async (_folder, { blobs }) => ({ name: 'files', level: 'ok', detail: blobs }),
      counters: async () => ({ name: 'counters', level: 'ok', detail: 'in memory' }),
      engine: () => Promise.reject(new Error('no binary for this platform')),
    }
    const all = await checks({ PONTO_BLOBS: 's3://b?region=r' }, probes)
    expect(named(all, 'files')).toMatchObject([{ level: 'ok', detail: 's3://b?region=r' }])
    expect(named(all, 'database')).toMatchObject([{ level: 'fail', fix: 'Update it' }])
    expect(named(all, 'engine')).toEqual([{ name: 'engine', level: 'fail', detail: 'no binary for this platform' }])
  })
})
