import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { chmodSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { issueAuthority, issueServer } from '../../src/boot/tls/x509/issue-certificate.ts'
import { type FakeUpstream, json, sseHead, startFakeUpstream } from '../support/fake-upstream.ts'
import { makeTempFolder, removeFolder, type ServerProcess, startServer } from '../support/server-process.ts'

let folder: string
let upstream: FakeUpstream
const running: ServerProcess[] = []

beforeEach(async () => {
  folder = makeTempFolder()
  upstream = await startFakeUpstream()
  upstream.script(
    json({ choices: [{ index: 0, message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }] }),
  )
})
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop('SIGKILL')
  await upstream.stop()
  removeFolder(folder)
})

async function start(args: readonly string[] = [], env: Record<string, string> = {}): Promise<ServerProcess> {
  const server = await startServer({ dataFolder: join(folder, 'data'), args, env })
  running.push(server)
  return server
}

function ask(server: ServerProcess, model: string, key = server.key, stream = false): Promise<Response> {
  return fetch(`${server.httpsUrl}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'api-key': key },
    body: JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'hi' }] }),
    tls: { ca: server.ca },
  })
}

const status = async (answer: Promise<Response>) => (await answer).status

const create = (server: ServerProcess, name: string, ...more: string[]) =>
  server.run(['deployment', 'create', name, '--model', 'gpt-4o', '--backend', `${upstream.url}/v1`, ...more])

describe('a data folder', () => {
  test('keeps keys, deployments and their secrets over a restart and over kill -9', async () => {
    const first = await start()
    const made = await create(first, 'Kept', '--credential-stdin').then(() =>
      first.run(
        [
          'deployment',
          'create',
          'With-secret',
          '--model',
          'm',
          '--backend',
          `${upstream.url}/v1`,
          '--credential-stdin',
        ],
        'planted-secret',
      ),
    )
    expect(made).toMatchObject({ code: 0 })
    expect(await status(ask(first, 'with-secret'))).toBe(200)
    expect(upstream.requests.at(-1)?.headers.authorization).toBe('Bearer planted-secret')
    await first.stop('SIGKILL')

    const second = await start()
    expect(second.key).toBe(first.key)
    expect(second.ca).toBe(first.ca)
    expect(await status(ask(second, 'WITH-SECRET'))).toBe(200)
    expect(upstream.requests.at(-1)?.headers.authorization).toBe('Bearer planted-secret')
    expect(await second.stop()).toBe(0)
  })

  test('is for its owner only, and holds no secret in plain text', async () => {
    const server = await start()
    await server.run(
      ['deployment', 'create', 'x1', '--model', 'm', '--backend', 'http://127.0.0.1:9/v1', '--credential-stdin'],
      'planted-secret',
    )
    const files = readdirSync(server.dataFolder, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    )
    for (const file of files) {
      const path = join(file.parentPath, file.name)
      const content = await Bun.file(path).text()
      expect(content, path).not.toContain('planted-secret')
      expect(content, path).not.toContain(server.key)
      if (!path.endsWith('.pem') && !path.endsWith('.p12')) expect(statSync(path).mode & 0o077, path).toBe(0)
    }
    expect(statSync(server.dataFolder).mode & 0o077).toBe(0)
    expect(server.errors()).not.toContain('planted-secret')
  })
})

describe('keys', () => {
  test('regenerating one leaves the other valid', async () => {
    const server = await start()
    await create(server, 'any')
    const keys = JSON.parse((await server.run(['key', 'list', '--output', 'json'])).stdout)
    const [key1, key2] = keys.map((key: { value: string }) => key.value)
    expect(await status(ask(server, 'any', key1))).toBe(200)
    const [renewed] = JSON.parse((await server.run(['key', 'regenerate', 'key1', '--output', 'json'])).stdout)
    expect(await status(ask(server, 'any', key1))).toBe(401)
    expect(await status(ask(server, 'any', key2))).toBe(200)
    expect(await status(ask(server, 'any', renewed.value))).toBe(200)
  })

  test('a resource key does not manage, and the management credential does not ask', async () => {
    const server = await start()
    const credential = (await Bun.file(join(server.dataFolder, 'management.key')).text()).trim()
    const manage = (headers: Record<string, string>) =>
      status(fetch(`${server.httpsUrl}/management/deployments`, { headers, tls: { ca: server.ca } }))
    expect(await manage({ authorization: `Bearer ${credential}` })).toBe(200)
    expect(await manage({ authorization: `Bearer ${server.key}` })).toBe(403)
    expect(await manage({})).toBe(401)
    expect(await status(ask(server, 'any', credential))).toBe(401)
  })
})

describe('ports and names', () => {
  test('a taken port is refused with the flag to use', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    const { port } = other.address() as { port: number }
    for (const flag of ['--port', '--http-port']) {
      const refused = await start([flag, String(port)]).catch((error: Error) => error.message)
      expect(refused).toContain(`Port ${port} on 127.0.0.1 is taken`)
      expect(refused).toContain(flag)
      expect(refused).toContain('ended with 78')
    }
    other.close()
  })

  test('a resource name is in the certificate and answers under its hosts', async () => {
    const server = await start(['--name', 'contoso'])
    await create(server, 'any')
    for (const host of [
      'contoso.openai.azure.com',
      'contoso.services.ai.azure.com',
      'contoso.cognitiveservices.azure.com',
    ]) {
      const port = Number(new URL(server.httpsUrl).port)
      const authorized = await new Promise<boolean>((resolve, reject) => {
        const socket = connectTls({ host: '127.0.0.1', port, servername: host, ca: server.ca }, () => {
          resolve(socket.authorized)
          socket.end()
        })
        socket.on('error', reject)
      })
      expect(authorized).toBe(true)
      const answer = await fetch(`${server.httpUrl}/openai/v1/models`, { headers: { host, 'api-key': server.key } })
      expect(answer.status).toBe(200)
    }
  })

  test('health needs no key and tells whether what is deployed can be served', async () => {
    const server = await start()
    expect(await (await fetch(`${server.httpUrl}/health/live`)).json()).toEqual({ status: 'live' })
    const ready = await fetch(`${server.httpUrl}/health/ready`)
    expect([200, 503]).toContain(ready.status)
  })
})

describe('a certificate of the operator', () => {
  test('is taken over when its files change, and a stream in progress goes on', async () => {
    const authority = issueAuthority('Test authority', ['localhost'], new Date())
    const { createPrivateKey } = await import('node:crypto')
    const issue = () => issueServer(['localhost', '127.0.0.1'], authority, createPrivateKey(authority.key), new Date())
    const files = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') }
    const write = (pair: { certificate: string; key: string }): void => {
      writeFileSync(files.cert, pair.certificate)
      writeFileSync(files.key, pair.key)
      chmodSync(files.key, 0o600)
    }
    write(issue())
    const server = await start(['--tls-cert', files.cert, '--tls-key', files.key]).catch((error: Error) =>
      Promise.reject(error),
    )
    await create(server, 'any')
    const port = Number(new URL(server.httpsUrl).port)
    const serial = () =>
      new Promise<string>((resolve, reject) => {
        const socket = connectTls(
          { host: '127.0.0.1', port, servername: 'localhost', ca: authority.certificate },
          () => {
            resolve(socket.getPeerCertificate().serialNumber)
            socket.end()
          },
        )
        socket.on('error', reject)
      })
    const before = await serial()

    const chunk = { choices: [{ index: 0, delta: { content: 'tick ' }, finish_reason: null }] }
    const tick = { do: 'send', text: `data: ${JSON.stringify(chunk)}\n\n` } as const
    upstream.script([
      sseHead,
      ...Array.from({ length: 40 }, () => [tick, { do: 'wait', ms: 150 } as const]).flat(),
      { do: 'send', text: 'data: [DONE]\n\n' },
      { do: 'end' },
    ])
    const stream = await fetch(`${server.httpsUrl}/openai/v1/chat/completions`, {
      method: 'POST',
      headers: { 'api-key': server.key },
      body: JSON.stringify({ model: 'any', stream: true, messages: [{ role: 'user', content: 'hi' }] }),
      tls: { ca: authority.certificate },
    })
    const text = stream.text()
    write(issue())
    let after = before
    for (let i = 0; i < 100 && after === before; i++) {
      await Bun.sleep(100)
      // One that waits to be accepted at the moment the old listener closes is reset by the kernel, before anything was asked; clients try again.
      after = await serial().catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ECONNRESET') throw error
        return before
      })
    }
    expect(after).not.toBe(before)
    expect((await text).match(/tick/g)?.length).toBe(40)
    expect(await text).toEndWith('data: [DONE]\n\n')
  }, 30_000)
})
