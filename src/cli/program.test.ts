import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { createPrivateKey } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { parse as parseYaml } from 'yaml'
import { type DataFolder, locateDataFolder } from '../boot/folder/data-folder.ts'
import { issueAuthority, issueServer } from '../boot/tls/x509/issue-certificate.ts'
import type { DeploymentView, Status } from '../control/api.ts'
import { Fault } from '../core/fault.ts'
import type { Environment, Input } from './context.ts'
import { type Answer, type FakeManagement, type SeenRequest, startFakeManagement } from './management.fixture.ts'
import { type ProgramParts, runProgram } from './program.ts'
import type { UpOptions } from './server/up.ts'

const home = mkdtempSync(join(tmpdir(), 'ponto-cli-'))
const folder = locateDataFolder({ given: join(home, 'data'), homeFolder: home })
let answer: (request: SeenRequest) => Answer = () => ({ status: 500 })
let server: FakeManagement

beforeAll(async () => {
  server = await startFakeManagement(folder, (request) => answer(request))
})
afterAll(async () => {
  await server.stop()
  rmSync(home, { recursive: true, force: true })
})
afterEach(() => {
  server.seen.length = 0
})

type Ran = { code: number; out: string; err: string; ups: UpOptions[] }

async function ponto(
  args: string[],
  given: {
    env?: Environment
    stdin?: string
    data?: DataFolder
    up?: ProgramParts['up']
    parts?: Partial<ProgramParts>
  } = {},
): Promise<Ran> {
  const ran: Ran = { code: -1, out: '', err: '', ups: [] }
  const parts: ProgramParts = {
    up: given.up ?? (async (options) => void ran.ups.push(options)),
    env: { PONTO_DATA: (given.data ?? folder).path, HOME: home, ...given.env },
    stdin: Readable.from(given.stdin === undefined ? [] : [Buffer.from(given.stdin)]) as unknown as Input,
    stdout: { write: (text) => (ran.out += text) },
    stderr: { write: (text) => (ran.err += text) },
    version: '1.2.3',
    ...given.parts,
  }
  ran.code = await runProgram(parts, args)
  return ran
}

function view(change: Partial<DeploymentView> = {}): DeploymentView {
  return {
    name: 'Mistral-large',
    model: { format: 'Ponto', name: 'builtin-nano', version: '3' },
    etag: '"7"',
    source: { kind: 'stored' },
    createdAt: '2026-01-02T03:04:05Z',
    updatedAt: '2026-01-02T03:04:05Z',
    ...change,
  }
}

const upstream = {
  url: 'https://api.example.com/v1',
  protocol: 'openai',
  priority: 0,
  weight: 1,
  timeouts: { connectMs: 1, firstByteMs: 1, idleMs: 1, totalMs: 1 },
} as const

describe('deployment create', () => {
  test('leaves format and version to the server, which knows the models', async () => {
    answer = () => ({ status: 201, body: view() })
    const ran = await ponto(['deployment', 'create', 'Mistral-large', '--model', 'BUILTIN-nano'])
    expect(ran).toMatchObject({ code: 0, err: '' })
    expect(ran.out).toContain('built-in engine')
    expect(server.seen).toHaveLength(1)
    expect(server.seen[0]).toMatchObject({ method: 'PUT', path: '/management/deployments/Mistral-large' })
    expect(server.seen[0]?.body).toEqual({ model: { name: 'BUILTIN-nano' } })
    expect(server.seen[0]?.headers['if-none-match']).toBe('*')
  })

  test('gives flags to the backend before them, and those before the first to all', async () => {
    answer = () => ({ status: 201, body: view({ backends: [upstream] }) })
    const flags = [
      '--protocol',
      'azure-openai',
      '--backend',
      'https://a.example',
      '--weight',
      '3',
      '--backend',
      'https://b.example',
    ]
    const more = ['--priority', '1', '--credential-env', 'PONTO_SECRET_B', '--upstream-model', 'm2']
    const ran = await ponto(['deployment', 'create', 'x1', '--model', 'm', ...flags, ...more])
    expect(ran.code).toBe(0)
    expect(server.seen[0]?.body).toEqual({
      model: { name: 'm' },
      backends: [
        { url: 'https://a.example', protocol: 'azure-openai', weight: 3 },
        {
          url: 'https://b.example',
          protocol: 'azure-openai',
          priority: 1,
          model: 'm2',
          credential: { env: 'PONTO_SECRET_B' },
        },
      ],
    })
  })

  test('reads a secret from standard input and shows it nowhere', async () => {
    answer = () => ({ status: 201, body: view({ backends: [{ ...upstream, credential: { stored: true } }] }) })
    const flags = ['--backend', 'https://a.example', '--credential-stdin']
    const ran = await ponto(['deployment', 'create', 'x1', '--model', 'm', ...flags], { stdin: 'sk-secret\n' })
    expect(ran.code).toBe(0)
    expect(server.seen[0]?.body).toMatchObject({ backends: [{ credential: { value: 'sk-secret' } }] })
    expect(ran.out).toContain('credential stored')
    expect(ran.out + ran.err).not.toContain('sk-secret')
  })

  test('asks for a secret at a terminal, with the echo off before the question', async () => {
    answer = () => ({ status: 201, body: view({ backends: [upstream] }) })
    const happened: string[] = []
    const stdin = Object.assign(new PassThrough(), {
      isTTY: true,
      setRawMode: (mode: boolean) => happened.push(mode ? 'raw' : 'cooked'),
    })
    const stderr = {
      write(text: string) {
        happened.push(text)
        if (text.includes('Credential')) stdin.write('sk-secrex\x7ft\r')
      },
    }
    const flags = ['--backend', 'https://a.example', '--credential-stdin']
    const ran = await ponto(['deployment', 'create', 'x1', '--model', 'm', ...flags], { parts: { stdin, stderr } })
    expect(ran.code).toBe(0)
    expect(happened).toEqual(['raw', 'Credential for a.example: ', 'cooked', '\n'])
    expect(server.seen[0]?.body).toMatchObject({ backends: [{ credential: { value: 'sk-secret' } }] })
  })

  test('an empty secret is refused before anything is sent', async () => {
    const flags = ['--backend', 'https://a.example', '--credential-stdin']
    const ran = await ponto(['deployment', 'create', 'x1', '--model', 'm', ...flags], { stdin: '\n' })
    expect(ran).toMatchObject({ code: 1, err: 'error: The credential is empty: nothing came on standard input.\n' })
    expect(server.seen).toEqual([])
  })

  test('sends a file as it is', async () => {
    const file = join(home, 'spec.yaml')
    writeFileSync(
      file,
      'name: from-file\nmodel: { name: m, version: "2" }\nbackends:\n  - url: https://a.example/v1\n    weigth: 3\n',
    )
    answer = () => ({ status: 201, body: view() })
    expect((await ponto(['deployment', 'create', '--file', file])).code).toBe(0)
    expect(server.seen[0]).toMatchObject({
      path: '/management/deployments/from-file',
      body: { model: { name: 'm', version: '2' }, backends: [{ url: 'https://a.example/v1', weigth: 3 }] },
    })
    const other = await ponto(['deployment', 'create', 'another', '--file', file])
    expect(other).toMatchObject({ code: 1, err: `error: ${file} is about "from-file", not "another".\n` })
  })

  test('a broken file is refused with its place', async () => {
    const file = join(home, 'broken.yaml')
    writeFileSync(file, 'name: x1\nmodel: [\n')
    const ran = await ponto(['deployment', 'create', '--file', file])
    expect(ran.code).toBe(1)
    expect(ran.err).toContain(`error: ${file}: `)
    expect(ran.err).toContain('at line 3')
  })

  const wrong: [string, string[], string][] = [
    ['no name', ['--model', 'm'], 'a name is missing'],
    ['no model', ['x1'], '--model is missing'],
    [
      'a protocol that is none',
      ['x1', '--model', 'm', '--backend', 'https://a', '--protocol', 'grpc'],
      'Allowed choices are openai',
    ],
    ['a flag about no backend', ['x1', '--model', 'm', '--weight', '2'], 'need a --backend URL'],
    [
      'a secret in argv',
      ['x1', '--model', 'm', '--backend', 'https://a', '--credential-env', 'sk-123'],
      'must begin with PONTO_SECRET_',
    ],
    [
      'two credentials',
      ['x1', '--model', 'm', '--backend', 'https://a', '--credential-env', 'PONTO_SECRET_A', '--credential-stdin'],
      'one credential',
    ],
    ['a weight out of range', ['x1', '--model', 'm', '--backend', 'https://a', '--weight', '0'], 'from 1 to 1000'],
    ['an option that is none', ['x1', '--modle', 'm'], "unknown option '--modle'"],
  ]
  test.each(wrong)('refuses %s as wrong usage', async (_what, args, message) => {
    const ran = await ponto(['deployment', 'create', ...args])
    expect(ran.code).toBe(2)
    expect(ran.err).toContain(message)
    expect(server.seen).toEqual([])
  })

  test('prints each problem the server names on a line of its own', async () => {
    const details = [
      { code: 'InvalidValue', target: 'backends[0].url', message: 'must be a URL' },
      { code: 'InvalidValue', target: 'model.name', message: 'is empty' },
    ]
    answer = () => ({
      status: 400,
      body: { error: { code: 'InvalidDeployment', message: 'The deployment is invalid.', details } },
    })
    const ran = await ponto(['deployment', 'create', 'x1', '--model', 'm', '--backend', 'nonsense'])
    expect(ran).toMatchObject({
      code: 1,
      out: '',
      err: 'error: backends[0].url: must be a URL\nerror: model.name: is empty\n',
    })
  })
})

describe('deployment update', () => {
  test('sends only what is named, as a merge patch', async () => {
    answer = () => ({ status: 200, body: view() })
    expect((await ponto(['deployment', 'update', 'x1', '--model-version', '4'])).code).toBe(0)
    expect(server.seen[0]).toMatchObject({ method: 'PATCH', body: { model: { version: '4' } } })
    expect(server.seen[0]?.headers['content-type']).toBe('application/merge-patch+json')
  })

  test('--built-in takes the backends away', async () => {
    answer = () => ({ status: 200, body: view() })
    await ponto(['deployment', 'update', 'x1', '--built-in'])
    expect(server.seen[0]?.body).toEqual({ backends: null })
  })

  test('--file replaces what was read before, and only that', async () => {
    const file = join(home, 'update.yaml')
    writeFileSync(file, 'model: { name: m }\n')
    answer = () => ({ status: 200, body: view() })
    expect((await ponto(['deployment', 'update', 'x1', '--file', file])).code).toBe(0)
    expect(server.seen[1]).toMatchObject({
      method: 'PUT',
      path: '/management/deployments/x1',
      body: { model: { name: 'm' } },
    })
    expect(server.seen[1]?.headers['if-match']).toBe('"7"')
  })

  test('nothing named is wrong usage', async () => {
    expect(await ponto(['deployment', 'update', 'x1'])).toMatchObject({ code: 2 })
  })

  test('what the file declares is refused with file and line', async () => {
    const message = 'Deployment "x1" is declared in ponto.yaml line 4 and can only be changed there.'
    answer = () => ({ status: 409, body: { error: { code: 'DeclaredInFile', message } } })
    expect(await ponto(['deployment', 'update', 'x1', '--model', 'm'])).toMatchObject({
      code: 1,
      err: `error: ${message}\n`,
    })
  })
})

describe('output', () => {
  const rows = [
    view(),
    view({ name: 'b', backends: [upstream, upstream], source: { kind: 'file', file: 'ponto.yaml', line: 4 } }),
  ]

  test('a table, aligned and without trailing blanks', async () => {
    answer = () => ({ status: 200, body: { value: rows } })
    const { out } = await ponto(['deployment', 'list'])
    const lines = out.split('\n')
    expect(lines).toHaveLength(4)
    expect(lines[0]).toMatch(/^NAME {11}MODEL {13}STATE {4}RUNS ON {21}DECLARED IN {3}CHANGED$/)
    expect(lines[2]).toMatch(
      /^b {14}builtin-nano \(3\) {2}Running {2}api\.example\.com and 1 more {2}ponto\.yaml:4 {2}2026-01-0/,
    )
  })

  test.each(['json', 'yaml'] as const)('%s holds what the server said, wherever the option stands', async (format) => {
    answer = () => ({ status: 200, body: { value: rows } })
    const read: (text: string) => unknown = format === 'json' ? JSON.parse : (text) => parseYaml(text)
    expect(read((await ponto(['deployment', 'list', '--output', format])).out)).toEqual(rows)
    expect(read((await ponto(['-o', format, 'deployment', 'list'])).out)).toEqual(rows)
  })

  test('another format is wrong usage', async () => {
    expect(await ponto(['deployment', 'list', '--output', 'xml'])).toMatchObject({ code: 2 })
  })

  test('delete says so, and an unknown name is an error', async () => {
    answer = () => ({ status: 204 })
    expect(await ponto(['deployment', 'delete', 'x1'])).toMatchObject({ code: 0, out: 'Deleted x1.\n' })
    answer = () => ({
      status: 404,
      body: { error: { code: 'DeploymentNotFound', message: 'There is no deployment "x1".' } },
    })
    expect(await ponto(['deployment', 'delete', 'x1'])).toMatchObject({
      code: 1,
      err: 'error: There is no deployment "x1".\n',
    })
  })

  test('names are escaped in the path', async () => {
    answer = () => ({ status: 200, body: view() })
    await ponto(['deployment', 'show', 'a/../b'])
    expect(server.seen[0]?.path).toBe('/management/deployments/a%2F..%2Fb')
  })
})

describe('keys, status and env', () => {
  const keys = { value: [{ name: 'key1', value: 'K'.repeat(84), createdAt: '2026-01-02T03:04:05Z' }] }

  test('key regenerate takes key1 or key2', async () => {
    answer = () => ({ status: 200, body: keys.value[0] })
    expect((await ponto(['key', 'regenerate', 'key2'])).out).toContain('K'.repeat(84))
    expect(server.seen[0]).toMatchObject({ method: 'POST', path: '/management/keys/key2/regenerate' })
    expect(await ponto(['key', 'regenerate', 'key3'])).toMatchObject({ code: 2 })
  })

  test('env prints lines a shell takes', async () => {
    answer = () => ({ status: 200, body: keys })
    const { out, code } = await ponto(['env'], { env: { SHELL: '/bin/zsh' } })
    expect(code).toBe(0)
    const shell = Bun.spawnSync([
      'sh',
      '-c',
      `${out}\nprintf '%s|%s|%s' "$AZUREAI_ENDPOINT_URL" "$AZURE_OPENAI_API_KEY" "$SSL_CERT_FILE"`,
    ])
    expect(shell.stdout.toString()).toBe(`https://localhost:${server.port}/models|${'K'.repeat(84)}|${folder.caBundle}`)
    expect((await ponto(['env'], { env: { SHELL: '/usr/bin/fish' } })).out).toContain(
      `set -gx AZUREAI_ENDPOINT_KEY '${'K'.repeat(84)}'`,
    )
  })

  test('status shows a refused configuration', async () => {
    const status: Status = {
      name: 'ponto',
      version: '1.2.3',
      pid: 42,
      startedAt: '2026-01-02T03:04:05Z',
      endpoints: ['https://localhost:8443'],
      dataFolder: folder.path,
      configFile: { path: 'ponto.yaml', error: 'line 3: unknown key "modle"' },
      engine: { state: 'ready', detail: 'builtin-nano' },
      deployments: 3,
      warnings: [],
    }
    answer = () => ({ status: 200, body: status })
    expect((await ponto(['status'])).out).toContain('ponto.yaml (last change refused: line 3: unknown key "modle")')
  })
})

describe('reaching the server', () => {
  test('none was ever started', async () => {
    const data = locateDataFolder({ given: join(home, 'empty'), homeFolder: home })
    const ran = await ponto(['status'], { data })
    expect(ran.code).toBe(1)
    expect(ran.err).toBe(`error: No server runs on the data folder ${data.path}. Start it with: npm start\n`)
  })

  test('one was killed and left its record', async () => {
    const data = locateDataFolder({ given: join(home, 'killed'), homeFolder: home })
    const killed = await startFakeManagement(data, () => ({ status: 200 }))
    await killed.stop()
    expect((await ponto(['status'], { data })).err).toContain('Start it with: npm start')
  })

  test('a credential others can read is not used', async () => {
    chmodSync(folder.managementKey, 0o644)
    const ran = await ponto(['status'])
    chmodSync(folder.managementKey, 0o600)
    expect(ran).toMatchObject({ code: 1 })
    expect(ran.err).toContain(`chmod 600 ${folder.managementKey}`)
    expect(server.seen).toEqual([])
  })

  test("an operator's certificate for any name is accepted, another one is not", async () => {
    const data = locateDataFolder({ given: join(home, 'pinned'), homeFolder: home })
    const makePair = () => {
      const authority = issueAuthority('Some CA', ['ponto.example'], new Date())
      return issueServer(['ponto.example'], authority, createPrivateKey(authority.key), new Date())
    }
    const mine = makePair()
    const file = join(home, 'operator.pem')
    writeFileSync(file, mine.certificate)
    const pinned = await startFakeManagement(data, () => ({ status: 200, body: { value: [] } }), { ...mine, file })
    expect(await ponto(['key', 'list'], { data })).toMatchObject({ code: 0, out: 'There are no keys.\n' })
    writeFileSync(file, makePair().certificate)
    const refused = await ponto(['key', 'list'], { data })
    expect(refused.code).toBe(1)
    expect(refused.err).toContain('shows another certificate')
    expect(pinned.seen).toHaveLength(2)
    await pinned.stop()
  })
})

describe('up', () => {
  test('flags win over variables, variables over defaults', async () => {
    const env = { PONTO_PORT: '9443', PONTO_HOST: '0.0.0.0', PONTO_SAN: 'a.lan, b.lan', PONTO_HTTP: 'true' }
    const ran = await ponto(['up', '--port', '7443', '--san', 'c.lan'], { env })
    expect(ran.ups[0]).toMatchObject({
      host: '0.0.0.0',
      port: 7443,
      httpPort: 8080,
      http: true,
      san: ['a.lan', 'b.lan', 'c.lan'],
      quiet: false,
      logLevel: 'info',
      raiPolicy: 'Microsoft.DefaultV2',
      storedCompletionDays: 30,
      requestLogDays: 30,
      requestLogMb: 2_048,
      usageHourlyDays: 90,
      usageDays: 1_100,
      replicas: 1,
      databaseWait: 60,
    })
    expect(ran.ups[0]?.folder.path).toBe(folder.path)
  })

  const wrong: [string, string[], Environment, string][] = [
    ['a port that is none', ['--port', '70000'], {}, 'from 0 to 65535'],
    ['a variable that is no port', [], { PONTO_HTTP_PORT: 'x' }, 'PONTO_HTTP_PORT="x"'],
    ['a variable that is no level', [], { PONTO_LOG_LEVEL: 'loud' }, 'PONTO_LOG_LEVEL="loud"'],
    ['a wait that is none', ['--database-wait', '-1'], {}, 'from 0 to 86400'],
    ['no days at all', ['--stored-completion-days', '0'], {}, 'from 1 to 36500'],
    ['a log that holds nothing', ['--request-log-mb', '1'], {}, 'from 16 to 1000000'],
    ['a log for half a day', ['--request-log-days', '0.5'], {}, 'from 1 to 36500'],
    ['a certificate without its key', ['--tls-cert', 'a.pem'], {}, '--tls-key is missing'],
  ]
  test.each(wrong)('%s is wrong usage, and nothing starts', async (_what, args, env, message) => {
    const ran = await ponto(['up', ...args], { env })
    expect(ran).toMatchObject({ code: 2, ups: [] })
    expect(ran.err).toContain(message)
  })

  test('a bad variable of up does not stop the other commands', async () => {
    expect((await ponto(['version'], { env: { PONTO_PORT: 'x' } })).code).toBe(0)
  })

  test('the launcher learns whether starting again makes sense', async () => {
    const failing = (error: Error) => ponto(['--data', home, 'up'], { up: () => Promise.reject(error) })
    expect(await failing(new Fault('conflict', 'Port 8443 is taken.'))).toMatchObject({
      code: 78,
      err: 'error: Port 8443 is taken.\n',
    })
    expect((await failing(new Fault('invalid-request', '--name is wrong'))).code).toBe(2)
    expect((await failing(new Fault('storage-unavailable', 'The database is away.'))).code).toBe(75)
    expect(failing(new Error('bug'))).rejects.toThrow('bug')
  })
})

describe('help', () => {
  const pages = ['--help', 'up --help', 'deployment --help', 'help deployment', 'deployment create --help']
  pages.push('deployment update --help', 'key --help', 'status --help', 'doctor --help', 'env --help')
  test.each(pages)('%s has examples', async (page) => {
    const ran = await ponto(page.split(' '))
    expect(ran).toMatchObject({ code: 0, err: '' })
    expect(ran.out).toContain('Examples:')
  })

  test('an unknown command is wrong usage', async () => {
    const ran = await ponto(['deploymnet'])
    expect(ran.code).toBe(2)
    expect(ran.err).toContain("unknown command 'deploymnet'")
  })
})

test('a reader that has seen enough is no failure', async () => {
  const child = Bun.spawn(
    ['sh', '-c', `"${process.execPath}" "${import.meta.dir}/../main.ts" up --help | true; echo done`],
    {
      stderr: 'pipe',
    },
  )
  expect(await new Response(child.stdout).text()).toBe('done\n')
  expect(await new Response(child.stderr).text()).toBe('')
})
