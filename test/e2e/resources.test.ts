import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ResourceView } from '../../src/control/api.ts'
import { type FakeUpstream, json, startFakeUpstream } from '../support/fake-upstream.ts'
import { startPostgresServer, withPostgres } from '../support/postgres-server.ts'
import { makeTempFolder, removeFolder, type ServerProcess, startServer } from '../support/server-process.ts'

/** Several resources on one server, each with its own names, keys and data. */

let folder: string
let upstream: FakeUpstream
let server: ServerProcess

const answerOf = (content: string) =>
  json({ choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }] })

beforeAll(async () => {
  folder = makeTempFolder()
  upstream = await startFakeUpstream()
  // Deployments are told apart by the path of their backends.
  upstream.respond(({ path }) => answerOf(path.split('/')[1] as string))
  writeFileSync(join(folder, 'shared.key'), Buffer.alloc(32, 7).toString('base64'), { mode: 0o600 })
  server = await start()
})
afterAll(async () => {
  await server.stop('SIGKILL')
  await upstream.stop()
  removeFolder(folder)
})

function start(args: readonly string[] = []): Promise<ServerProcess> {
  return startServer({
    dataFolder: join(folder, 'data'),
    args: ['--name', 'main-one', ...args],
    env: { PONTO_SECRET_TEAM_KEY: 'team-key-from-a-variable' },
  })
}

/** A `ponto` command that has to succeed. */
async function ponto(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await server.run(args)
  expect([code, /error/.test(stderr) ? stderr : '']).toEqual([0, ''])
  return stdout
}

const managed = async <T>(...args: string[]): Promise<T> => JSON.parse(await ponto(...args, '--output', 'json')) as T

async function keyOf(resource: string): Promise<string> {
  const keys = await managed<{ value: string }[]>('--resource', resource, 'key', 'list')
  return keys[0]?.value as string
}

type Way = { readonly base: string; readonly headers: Record<string, string> }

/** How a resource is reached: by host, or by path. */
const byHost = (host: string): Way => ({ base: server.httpUrl, headers: { host } })
const byPath = (name: string): Way => ({ base: `${server.httpUrl}/resources/${name}`, headers: {} })

function ask({ base, headers }: Way, key: string, model: string): Promise<Response> {
  return fetch(`${base}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'api-key': key, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }], store: true }),
  })
}

async function outcome(way: Way, key: string, model: string): Promise<number | string> {
  const response = await ask(way, key, model)
  const body = (await response.json()) as { choices?: { message: { content: string } }[] }
  return body.choices?.[0]?.message.content ?? response.status
}

const deploy = (resource: string | undefined, name: string, path: string) =>
  ponto(
    ...(resource === undefined ? [] : ['--resource', resource]),
    ...['deployment', 'create', name, '--model', 'gpt-4o', '--backend', `${upstream.url}/${path}`],
  )

const made: string[] = []
async function make(name: string, ...more: string[]): Promise<ResourceView> {
  const view = await managed<ResourceView>('resource', 'create', name, ...more)
  made.push(name)
  return view
}
afterEach(async () => {
  for (const name of made.splice(0)) {
    await server.run(['resource', 'delete', name, '--yes'])
    await server.run(['resource', 'purge', name, '--yes'])
  }
})

describe('two resources', () => {
  test('have deployments of one name, told apart by host and by path, each for its own keys', async () => {
    await make('team-a', '--location', 'East US')
    await deploy(undefined, 'gpt', 'own')
    await deploy('team-a', 'GPT', 'team')
    const key = await keyOf('team-a')
    expect(key).not.toBe(server.key)

    for (const way of [
      byPath('team-a'),
      byPath('TEAM-A'),
      byPath('team%2Da'),
      byHost('team-a.localhost'),
      byHost('TEAM-A.openai.azure.com:8443'),
      byHost('team-a.services.ai.azure.com'),
      byHost('team-a.cognitiveservices.azure.com.'),
    ]) {
      expect(await outcome(way, key, 'gpt')).toBe('team')
      expect(await outcome(way, server.key, 'gpt')).toBe(401)
    }
    for (const way of [byHost('localhost'), byHost('other.openai.azure.com'), byHost('1.2.3.4'), byPath('main-one')]) {
      expect(await outcome(way, server.key, 'gpt')).toBe('own')
      expect(await outcome(way, key, 'gpt')).toBe(401)
    }
    // The path says more than the host.
    expect(await outcome({ ...byPath('main-one'), headers: { host: 'team-a.localhost' } }, server.key, 'gpt')).toBe(
      'own',
    )
  })

  test('are found over TLS by a name that came while the server ran', async () => {
    await make('fresh-one', '--subdomain', 'Fresh-Sub')
    await deploy('fresh-one', 'gpt', 'fresh')
    const key = await keyOf('fresh-one')
    for (const name of ['fresh-one', 'fresh-sub']) {
      const host = `${name}.openai.azure.com`
      const response = await fetch(`${server.httpsUrl}/openai/v1/models`, {
        headers: { 'api-key': key, host },
        tls: { ca: server.ca, serverName: host },
      })
      expect(response.status).toBe(200)
    }
  })

  test('keep keys, filters, usage, stored answers and files for themselves', async () => {
    await make('team-a')
    await deploy('team-a', 'mine', 'team')
    const key = await keyOf('team-a')
    expect((await ask(byPath('team-a'), key, 'mine')).status).toBe(200)
    expect(await outcome(byPath('main-one'), server.key, 'mine')).toBe(404)
    await ponto('--resource', 'team-a', 'key', 'create', 'ci')
    await ponto('--resource', 'team-a', 'filter', 'blocklist', 'create', 'words', '--term', 'pineapple')
    const named = async (...args: string[]) => (await managed<{ name: string }[]>(...args)).map(({ name }) => name)
    expect(await named('key', 'list')).not.toContain('ci')
    expect(await named('--resource', 'team-a', 'key', 'list')).toContain('ci')
    expect(await named('filter', 'blocklist', 'list')).toEqual([])
    expect(await named('--resource', 'team-a', 'filter', 'blocklist', 'list')).toEqual(['words'])
    const used = await managed<{ value: { deployment: string }[] } | { deployment: string }[]>(
      ...['--resource', 'team-a', 'usage'],
    )
    expect(JSON.stringify(used)).toContain('"mine"')
    expect(await ponto('usage', '--output', 'json')).not.toContain('"mine"')

    const upload = new FormData()
    upload.set('purpose', 'batch')
    upload.set('file', new Blob(['{}\n']), 'in.jsonl')
    const headers = { 'api-key': key }
    const { base } = byPath('team-a')
    const file = (await (await fetch(`${base}/openai/v1/files`, { method: 'POST', headers, body: upload })).json()) as {
      id: string
    }
    const read = (way: Way, path: string, as: string) =>
      fetch(`${way.base}/openai/v1/${path}`, { headers: { 'api-key': as, ...way.headers } })
    expect((await read(byPath('team-a'), `files/${file.id}`, key)).status).toBe(200)
    expect((await read(byPath('main-one'), `files/${file.id}`, server.key)).status).toBe(404)
    expect((await read(byPath('team-a'), `files/${file.id}`, server.key)).status).toBe(401)
  })
})

describe('what is counted and what takes long', () => {
  test('limits of one name are counted for each resource, and what they refuse says nothing of the other', async () => {
    await make('team-c')
    for (const resource of [undefined, 'team-c']) {
      await ponto(
        ...(resource === undefined ? [] : ['--resource', resource]),
        ...['deployment', 'create', 'narrow', '--model', 'gpt-4o', '--backend', `${upstream.url}/x`],
        ...['--rate-limit', 'request=1/min'],
      )
    }
    const key = await keyOf('team-c')
    expect(await outcome(byPath('team-c'), key, 'narrow')).toBe('x')
    expect(await outcome(byPath('team-c'), key, 'narrow')).toBe(429)
    expect(await outcome(byPath('main-one'), server.key, 'narrow')).toBe('x')
    expect(await outcome(byPath('main-one'), server.key, 'narrow')).toBe(429)
  })

  test('batches run on the deployments of their resource, for its callers', async () => {
    await make('team-d')
    await deploy(undefined, 'lines', 'own')
    await deploy('team-d', 'lines', 'd')
    const headers = { 'api-key': await keyOf('team-d') }
    const base = `${byPath('team-d').base}/openai/v1`
    const upload = new FormData()
    const body = { model: 'lines', messages: [{ role: 'user', content: 'hi' }] }
    const line = { custom_id: 'a', method: 'POST', url: '/v1/chat/completions', body }
    upload.set('purpose', 'batch')
    upload.set('file', new Blob([`${JSON.stringify(line)}\n`]), 'in.jsonl')
    type Shown = { id: string; status: string; output_file_id: string }
    const input = (await (await fetch(`${base}/files`, { method: 'POST', headers, body: upload })).json()) as Shown
    const order = { input_file_id: input.id, endpoint: '/v1/chat/completions', completion_window: '24h' }
    const read = async (path: string, init = {}) => (await fetch(`${base}/${path}`, { headers, ...init })).json()
    let batch = (await read('batches', { method: 'POST', body: JSON.stringify(order) })) as Shown
    const until = performance.now() + 15_000
    while (batch.status !== 'completed') {
      if (performance.now() > until || batch.status === 'failed') throw new Error(JSON.stringify(batch))
      await Bun.sleep(50)
      batch = (await read(`batches/${batch.id}`)) as Shown
    }
    const output = await (await fetch(`${base}/files/${batch.output_file_id}/content`, { headers })).text()
    expect(JSON.parse(output).response.body.choices[0].message.content).toBe('d')
    const strange = await fetch(`${server.httpUrl}/openai/v1/batches/${batch.id}`, {
      headers: { 'api-key': server.key },
    })
    expect(strange.status).toBe(404)
  }, 20_000)
})

describe('deleting', () => {
  test('is soft: restoring brings all back with its key, also after a restart, and purging ends it', async () => {
    await make('team-b', '--tag', 'cost-center=42')
    await deploy('team-b', 'gpt', 'b')
    const key = await keyOf('team-b')
    expect(await outcome(byPath('team-b'), key, 'gpt')).toBe('b')
    await ponto('resource', 'delete', 'team-b', '--yes')
    expect(await outcome(byPath('team-b'), key, 'gpt')).toBe(401)
    expect(await outcome(byHost('team-b.localhost'), key, 'gpt')).toBe(401)
    const again = await server.run(['resource', 'create', 'Team-B'])
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('was deleted and can be restored')])

    await server.stop()
    server = await start()
    expect(await managed<ResourceView[]>('resource', 'list', '--deleted')).toMatchObject([{ name: 'team-b' }])
    await ponto('resource', 'restore', 'team-b')
    expect(await outcome(byPath('team-b'), key, 'gpt')).toBe('b')
    expect(await managed<ResourceView>('resource', 'show', 'team-b')).toMatchObject({ tags: { 'cost-center': '42' } })

    await ponto('resource', 'delete', 'team-b', '--yes')
    await ponto('resource', 'purge', 'team-b', '--yes')
    await make('team-b')
    expect(await outcome(byPath('team-b'), key, 'gpt')).toBe(401)
    expect(await outcome(byPath('team-b'), await keyOf('team-b'), 'gpt')).toBe(404)
  }, 20_000)

  test("does not work for the server's own", async () => {
    const refused = await server.run(['resource', 'delete', 'main-one', '--yes'])
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('cannot be deleted')])
  })
})

describe('the configuration file', () => {
  test('declares resources with deployments and keys; they come and go with it, and cannot be changed otherwise', async () => {
    const config = join(folder, 'ponto.yaml')
    const own = 'deployments: []\n'
    const team = `resources:
  - name: from-file
    location: westeurope
    keys: { key1: { env: PONTO_SECRET_TEAM_KEY } }
    deployments:
      - { name: gpt, model: { name: m }, backends: [{ url: '${upstream.url}/file' }] }
`
    writeFileSync(config, own + team)
    await server.stop()
    server = await start(['--config', config])
    expect(await outcome(byPath('from-file'), 'team-key-from-a-variable', 'gpt')).toBe('file')
    for (const args of [
      ['resource', 'delete', 'from-file', '--yes'],
      ['resource', 'update', 'from-file', '--location', 'x'],
      ['--resource', 'from-file', 'deployment', 'delete', 'gpt'],
      ['--resource', 'from-file', 'key', 'regenerate', 'key1'],
    ]) {
      const refused = await server.run(args)
      expect([args, refused.code, refused.stderr]).toEqual([args, 1, expect.stringContaining('declared in')])
    }
    writeFileSync(config, own)
    const until = performance.now() + 10_000
    while ((await outcome(byPath('from-file'), 'team-key-from-a-variable', 'gpt')) !== 401) {
      if (performance.now() > until) throw new Error('the resource stays')
      await Bun.sleep(20)
    }
    writeFileSync(config, `${own}${team.replace('from-file', 'main-one')}`)
    await server.stop()
    await expect(start(['--config', config])).rejects.toThrow("which is the server's own resource")
    server = await start()
  }, 20_000)
})

describe('hostile addresses', () => {
  const sent = async (path: string, headers: Record<string, string> = {}): Promise<number> => {
    const { connect } = await import('node:net')
    const url = new URL(server.httpUrl)
    return new Promise((resolve, reject) => {
      const socket = connect(Number(url.port), url.hostname)
      let text = ''
      const lines = Object.entries({ host: 'localhost', connection: 'close', 'api-key': server.key, ...headers })
      socket.write(`GET ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`)
      socket.on('data', (data) => {
        text += data
      })
      socket.on('close', () => resolve(Number(text.split(' ')[1])))
      socket.on('error', reject)
    })
  }

  test.each([
    ['/resources/..%2fopenai/v1/models', 404],
    ['/resources/main-one/../openai/v1/models', 404],
    ['/resources/other/../main-one/openai/v1/models', 200],
    ['/resources/..%2f/openai/v1/models', 401],
    ['/resources/%2e%2e/openai/v1/models', 200],
    ['/resources/%00/openai/v1/models', 401],
    ['/resources/%/openai/v1/models', 401],
    ['/resources/%ff/openai/v1/models', 401],
    ['/resources/__proto__/openai/v1/models', 401],
    ['/resources//openai/v1/models', 401],
    ['/resources/main-one/resources/main-one/openai/v1/models', 404],
    ['/resources/main-one/management/status', 404],
    ['/resources/main-one/health/live', 404],
    ['/resources/main-one/metrics', 404],
    ['/resources/main-one//openai//v1/models', 200],
    ['/resources/main-one', 404],
    ['/resources/', 404],
    ['/resources', 404],
    [`/resources/${'x'.repeat(4000)}/openai/v1/models`, 401],
  ] as const)('GET %s answers %d', async (path, status) => {
    expect(await sent(path)).toBe(status)
  })

  test.each([
    ['main-one.localhost@evil.example', 400],
    ['a/resources/main-one', 400],
    ['main-one.localhost, evil', 400],
    ['evil.example', 200],
    ['main-one.localhost.evil.example', 200],
    ['[::1]', 200],
  ])('Host %s answers %d', async (host, status) => {
    expect(await sent('/openai/v1/models', { host })).toBe(status)
  })
})

withPostgres('servers that share a database', () => {
  test('share their resources: one that is made, changed or deleted on one of them is so on the other', async () => {
    const database = await startPostgresServer()
    const servers = await Promise.all(
      ['one', 'two'].map((name) =>
        startServer({
          dataFolder: join(folder, name),
          // One key seals what both have to read.
          args: ['--name', 'shared', '--secret-key-file', join(folder, 'shared.key')],
          env: { PONTO_SECRET_POSTGRES_URL: database.url({ schema: 'resources' }) },
        }),
      ),
    ).catch(async (error) => {
      await database.stop()
      throw error
    })
    const [one, two] = servers as [ServerProcess, ServerProcess]
    const status = async (at: ServerProcess, key: string) =>
      (await fetch(`${at.httpUrl}/resources/both/openai/v1/models`, { headers: { 'api-key': key } })).status
    const until = async (isSo: () => Promise<boolean>) => {
      const endAt = performance.now() + 15_000
      while (!(await isSo())) {
        if (performance.now() > endAt) throw new Error('it did not come to that')
        await Bun.sleep(20)
      }
    }
    try {
      expect((await one.run(['resource', 'create', 'both'])).code).toBe(0)
      const keys = await one.run(['--resource', 'both', 'key', 'list', '--output', 'json'])
      const key = (JSON.parse(keys.stdout) as { value: string }[])[0]?.value as string
      expect(await status(one, key)).toBe(200)
      await until(async () => (await status(two, key)) === 200)
      await one.run(['--resource', 'both', 'key', 'regenerate', 'key1'])
      await until(async () => (await status(two, key)) === 401)
      await two.run(['resource', 'delete', 'both', '--yes'])
      await until(async () => (await one.run(['resource', 'show', 'both'])).code === 1)
    } finally {
      for (const running of servers) await running.stop('SIGKILL')
      await database.stop()
    }
  }, 60_000)
})
