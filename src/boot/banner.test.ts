import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BannerInfo, renderBanner, renderJson, renderQuiet } from './banner.ts'
import { formatExport, guessShell } from './client-environment.ts'
import { createDataFolder, locateDataFolder } from './folder/data-folder.ts'
import { makeResourceKey } from './secrets.ts'
import { listServerNames } from './server-names.ts'
import { openLocalCertificate } from './tls/certificate.ts'

type Seen = { readonly url: string; readonly key: string | undefined; readonly body: { model: string } }

const home = mkdtempSync(join(tmpdir(), "ponto banner's "))
const folder = locateDataFolder({ given: home, homeFolder: home })
let server: Server
let info: BannerInfo
const seen: Seen[] = []

beforeAll(async () => {
  createDataFolder(folder)
  const pair = openLocalCertificate(folder, listServerNames({}), new Date())
  server = createServer({ cert: pair.certificate, key: pair.key }, async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const key = request.headers['api-key']
    seen.push({ url: request.url ?? '', key: String(key), body: JSON.parse(Buffer.concat(chunks).toString()) })
    const message = { role: 'assistant', content: 'Hello from here.' }
    response.setHeader('content-type', 'application/json')
    response.end(
      JSON.stringify({ id: 'x', object: 'chat.completion', choices: [{ index: 0, message, finish_reason: 'stop' }] }),
    )
  })
  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle))
  info = {
    version: '1.2.3',
    name: 'ponto',
    httpsUrl: `https://localhost:${(server.address() as AddressInfo).port}`,
    httpUrl: 'http://localhost:8080',
    key: makeResourceKey(),
    folder,
    isLocalCertificate: true,
    deployment: 'Mistral-large',
    command: 'npm run -s ponto --',
    portalCode: 'CODE',
    notices: ['Something happened.'],
  }
})
afterAll(() => {
  server.close()
  rmSync(home, { recursive: true, force: true })
})

/** The printed lines from a heading to the next blank line, as a person would mark and copy them. */
function copyBlock(banner: string, heading: string): string {
  const lines = banner.split('\n')
  const start = lines.findIndex((line) => line.startsWith(heading)) + 1
  expect(start).toBeGreaterThan(0)
  return lines.slice(start, lines.indexOf('', start)).join('\n')
}

async function paste(...blocks: string[]): Promise<string> {
  const script = blocks.join('\n')
  const root = join(import.meta.dir, '..', '..')
  const child = Bun.spawn(['sh', '-c', script], {
    cwd: root,
    env: { PATH: Bun.env.PATH ?? '' },
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  expect({ code: await child.exited, err }).toEqual({ code: 0, err: '' })
  return out
}

describe('pasted as printed', () => {
  const settings = () => copyBlock(plain(), 'First, ')
  const plain = () => renderBanner(info, { isColored: false, shell: 'posix' })

  test('curl gets an answer', async () => {
    seen.length = 0
    expect(await paste(settings(), copyBlock(plain(), 'curl  a first'))).toContain('Hello from here.')
    expect(seen).toMatchObject([{ url: '/models/chat/completions?api-version=2024-05-01-preview', key: info.key }])
    expect(seen[0]?.body.model).toBe('Mistral-large')
  })

  test('JavaScript gets an answer', async () => {
    seen.length = 0
    expect(await paste(settings(), copyBlock(plain(), 'JavaScript'))).toBe('Hello from here.\n')
    const url = '/openai/deployments/Mistral-large/chat/completions?api-version=2024-10-21'
    expect(seen).toMatchObject([{ url, key: info.key }])
  })

  test('Python is valid Python', async () => {
    const code = copyBlock(plain(), 'Python').split('\n').slice(1, -1).join('\n')
    await paste(`python3 -c 'import ast, sys; ast.parse(sys.stdin.read())' <<'CODE'\n${code}\nCODE`)
  })
})

describe('how it looks', () => {
  test('the key is there once, lines fit', () => {
    const text = renderBanner(
      { ...info, folder: locateDataFolder({ homeFolder: '/home/anna' }) },
      { isColored: false, shell: 'posix' },
    )
    expect(text.split(info.key)).toHaveLength(2)
    for (const line of text.split('\n').filter((line) => !line.includes(info.key)))
      expect(line.length).toBeLessThanOrEqual(100)
    expect(text).not.toContain('\x1b')
    expect(text).toContain('note Something happened.')
  })

  test('colours only when asked for', () => {
    expect(renderBanner(info, { isColored: true, shell: 'posix' })).toContain('\x1b[32mPonto')
  })

  test("nothing about trust when the operator's own certificate is served", () => {
    const text = renderBanner({ ...info, isLocalCertificate: false }, { isColored: false, shell: 'posix' })
    for (const part of ['NODE_EXTRA_CA_CERTS', 'cacert', 'keytool']) expect(text).not.toContain(part)
  })

  test('for scripts', () => {
    expect(renderQuiet(info)).toBe(`${info.httpsUrl}\n${info.key}\n`)
    expect(JSON.parse(renderJson(info))).toMatchObject({
      key: info.key,
      endpoints: { inference: `${info.httpsUrl}/models`, http: 'http://localhost:8080' },
      caFile: folder.caFile,
    })
    expect(renderJson(info).indexOf('\n')).toBe(renderJson(info).length - 1)
  })
})

describe('lines for a shell', () => {
  test.each([
    ['posix', `export A='it'\\''s $x'`],
    ['fish', `set -gx A 'it\\'s $x'`],
    ['powershell', `$env:A = 'it''s $x'`],
  ] as const)('%s', (shell, line) => {
    expect(formatExport(['A', "it's $x"], shell)).toBe(line)
  })

  test('guessed', () => {
    expect(guessShell('/usr/bin/fish', 'linux')).toBe('fish')
    expect(guessShell('/bin/zsh', 'darwin')).toBe('posix')
    expect(guessShell(undefined, 'win32')).toBe('powershell')
  })
})
