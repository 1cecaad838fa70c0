import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { X509Certificate } from 'node:crypto'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import { type AddressInfo, isIP } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { createDataFolder, type DataFolder, locateDataFolder } from '../folder/data-folder.ts'
import { listServerNames } from '../server-names.ts'
import { certificateNames, openLocalCertificate, tlsFiles } from './certificate.ts'

const day = 86_400_000
const now = new Date()
let folder: DataFolder

beforeEach(() => {
  const given = mkdtempSync(join(tmpdir(), 'ponto-certificate-'))
  folder = locateDataFolder({ given, homeFolder: given })
  createDataFolder(folder)
})
afterEach(() => rmSync(folder.path, { recursive: true, force: true }))

const open = (names = listServerNames({}), at = now) => openLocalCertificate(folder, names, at)
const later = (days: number) => new Date(now.getTime() + days * day)

/** Every file of the folder and its content, to see what a call wrote. */
function snapshot(): Record<string, string> {
  const entries = readdirSync(folder.path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = entries.map((entry) => join(entry.parentPath, entry.name))
  return Object.fromEntries(paths.map((path) => [path, `${statSync(path).mtimeMs} ${readFileSync(path, 'base64')}`]))
}

function run(...command: string[]): { code: number; text: string } {
  const ran = Bun.spawnSync(command, { stdin: 'ignore' })
  return { code: ran.exitCode, text: ran.stdout.toString() + ran.stderr.toString() }
}

describe('what is issued', () => {
  test('satisfies openssl with its strictest checks', () => {
    open(listServerNames({ resourceName: 'Contoso', extra: ['ponto.example.com', '192.0.2.7', '2001:db8::1'] }))
    const { serverCertificate } = tlsFiles(folder)
    const verified = run(
      'openssl',
      'verify',
      '-x509_strict',
      '-purpose',
      'sslserver',
      '-CAfile',
      folder.caFile,
      serverCertificate,
    )
    expect(verified).toEqual({ code: 0, text: `${serverCertificate}: OK\n` })
    const text = run('openssl', 'x509', '-in', serverCertificate, '-noout', '-text').text
    for (const part of [
      'TLS Web Server Authentication',
      'Subject Key Identifier',
      'Authority Key Identifier',
      'CA:FALSE',
    ]) {
      expect(text).toContain(part)
    }
  })

  test('names, times and rights', () => {
    const pair = open(listServerNames({ resourceName: 'Contoso', extra: ['Box.LAN', '[2001:DB8:0::1]'] }))
    const certificate = new X509Certificate(pair.certificate)
    expect(certificateNames(certificate)).toEqual([
      'localhost',
      '*.localhost',
      '127.0.0.1',
      '::1',
      'contoso.services.ai.azure.com',
      'contoso.openai.azure.com',
      'contoso.cognitiveservices.azure.com',
      'box.lan',
      '2001:db8::1',
    ])
    const spanDays = (one: X509Certificate) => (Date.parse(one.validTo) - Date.parse(one.validFrom)) / day
    expect(spanDays(certificate)).toBeLessThanOrEqual(397)
    expect(spanDays(certificate)).toBeGreaterThan(390)
    const authority = new X509Certificate(readFileSync(folder.caFile))
    expect(spanDays(authority)).toBe(3650)
    expect(authority.ca).toBe(true)
    expect(certificate.ca).toBe(false)
    const files = tlsFiles(folder)
    for (const path of [files.authorityKey, files.serverKey, folder.caFile])
      expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  test('the authority cannot sign for a name outside its scope', () => {
    open()
    const { authorityKey } = tlsFiles(folder)
    const at = (name: string) => join(folder.path, name)
    writeFileSync(at('ext'), 'subjectAltName=DNS:www.bank.com\nextendedKeyUsage=serverAuth\n')
    run(
      'openssl',
      'req',
      '-new',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      at('k'),
      '-out',
      at('csr'),
      '-subj',
      '/CN=x',
    )
    run(
      'openssl',
      'x509',
      '-req',
      '-in',
      at('csr'),
      '-CA',
      folder.caFile,
      '-CAkey',
      authorityKey,
      '-out',
      at('stolen'),
      '-extfile',
      at('ext'),
      '-days',
      '9',
    )
    const verified = run('openssl', 'verify', '-CAfile', folder.caFile, at('stolen'))
    expect(verified.code).not.toBe(0)
    expect(verified.text).toContain('permitted subtree violation')
  })
})

describe('a real handshake', () => {
  let server: Server
  let port = 0
  beforeEach(async () => {
    const pair = open(listServerNames({ resourceName: 'contoso', extra: ['192.0.2.7'] }))
    server = createServer({ cert: pair.certificate, key: pair.key }, (_request, response) => void response.end('hello'))
    await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle))
    port = (server.address() as AddressInfo).port
  })
  afterEach(() => server.close())

  const handshake = (name: string, ca: string) =>
    new Promise<string>((settle) => {
      const socket = connect({ host: '127.0.0.1', port, ca, ...(isIP(name) ? {} : { servername: name }) }, () => {
        socket.end()
        settle(socket.getProtocol() ?? '')
      })
      socket.once('error', (error: NodeJS.ErrnoException) => settle(error.code ?? error.message))
    })

  test.each(['localhost', '127.0.0.1', 'contoso.openai.azure.com'])('node:tls trusts it as %s', async (name) => {
    expect(await handshake(name, readFileSync(folder.caFile, 'utf8'))).toBe('TLSv1.3')
  })

  test('not for another name, and not without the authority', async () => {
    expect(await handshake('fabrikam.openai.azure.com', readFileSync(folder.caFile, 'utf8'))).toBe(
      'ERR_TLS_CERT_ALTNAME_INVALID',
    )
    const stranger = locateDataFolder({ given: join(folder.path, 'other'), homeFolder: folder.path })
    createDataFolder(stranger)
    openLocalCertificate(stranger, listServerNames({}), now)
    expect(await handshake('localhost', readFileSync(stranger.caFile, 'utf8'))).not.toBe('TLSv1.3')
  })

  /** Runs beside us: a blocking wait would keep the server from answering. */
  async function ask(command: string[], env: Record<string, string> = {}): Promise<string> {
    const child = Bun.spawn(command, { env: { PATH: Bun.env.PATH ?? '', ...env }, stdout: 'pipe', stderr: 'pipe' })
    const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
    return (await child.exited) === 0 ? out.trim() : err
  }

  test('curl, Node and Bun', async () => {
    const url = `https://127.0.0.1:${port}/`
    const script = `fetch('${url}').then((answer) => answer.text()).then(console.log)`
    const env = { NODE_EXTRA_CA_CERTS: folder.caFile }
    expect(await ask(['curl', '-sS', '--cacert', folder.caFile, url])).toBe('hello')
    expect(await ask(['node', '-e', script], env)).toBe('hello')
    expect(await ask([process.execPath, '-e', script], env)).toBe('hello')
  })

  test.skipIf(!Bun.which('python3'))('Python, as strict as 3.13 is by itself', async () => {
    const script = `
import ssl, urllib.request
context = ssl.create_default_context()
context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
print(urllib.request.urlopen("https://localhost:${port}/", context=context).read().decode())`
    expect(await ask(['python3', '-c', script], { SSL_CERT_FILE: folder.caBundle })).toBe('hello')
  })

  test.skipIf(!Bun.which('keytool'))(
    'Java reads the trust store, the system roots included',
    async () => {
      const listed = await ask(['keytool', '-list', '-keystore', folder.trustStore])
      expect(listed).toContain('ponto, ')
      expect(Number(/contains (\d+) entries/.exec(listed)?.[1])).toBeGreaterThan(50)
    },
    30_000,
  )
})

describe('what a later start does', () => {
  test('writes nothing', () => {
    const first = open()
    const before = snapshot()
    const second = open(listServerNames({}), later(300))
    expect(second).toEqual({ ...first, notices: [] })
    expect(snapshot()).toEqual(before)
  })

  test('issues anew within 30 days of the end, from the same authority', () => {
    const first = open()
    const authority = readFileSync(folder.caFile, 'utf8')
    expect(open(undefined, later(365)).certificate).toBe(first.certificate)
    const renewed = open(undefined, later(367))
    expect(renewed.certificate).not.toBe(first.certificate)
    expect(renewed.notices[0]).toContain('the old one ends on')
    expect(readFileSync(folder.caFile, 'utf8')).toBe(authority)
  })

  test('issues anew for other names, from the same authority', () => {
    open()
    const authority = readFileSync(folder.caFile, 'utf8')
    const named = open(listServerNames({ resourceName: 'contoso', extra: ['10.1.2.3', 'box.internal'] }))
    expect(named.notices).toEqual(['Issued a new server certificate: the names it is for have changed.'])
    expect(certificateNames(new X509Certificate(named.certificate))).toContain('contoso.openai.azure.com')
    expect(open().notices).toHaveLength(1)
    expect(readFileSync(folder.caFile, 'utf8')).toBe(authority)
  })

  test('makes a new authority only for a public name the old one may not sign for, and keeps it then', () => {
    open()
    const names = listServerNames({ extra: ['ponto.contoso.com'] })
    const named = open(names)
    expect(named.notices).toHaveLength(1)
    expect(named.notices[0]).toContain('may not sign for ponto.contoso.com')
    expect(readFileSync(folder.caBundle, 'utf8')).toStartWith(readFileSync(folder.caFile, 'utf8'))
    expect(open(names).notices).toEqual([])
    expect(run('openssl', 'verify', '-CAfile', folder.caFile, tlsFiles(folder).serverCertificate).code).toBe(0)
  })

  test('replaces the authority before it ends', () => {
    open()
    expect(open(undefined, later(3630)).notices[0]).toContain('Made a new certificate authority: the old one ends on')
  })

  test('a pair that does not match is replaced', () => {
    open()
    const files = tlsFiles(folder)
    writeFileSync(files.serverKey, readFileSync(files.authorityKey), { mode: 0o600 })
    const repaired = open()
    expect(repaired.notices).toEqual(['Issued a new server certificate: the old one did not match its key.'])
  })

  test('a key that others can read is refused', () => {
    open()
    const { authorityKey } = tlsFiles(folder)
    chmodSync(authorityKey, 0o640)
    expect(() => open()).toThrow(`chmod 600 ${authorityKey}`)
  })

  test('the bundle follows the roots of the system', () => {
    open()
    const whole = readFileSync(folder.caBundle, 'utf8')
    expect(whole.match(/BEGIN CERTIFICATE/g)?.length).toBeGreaterThan(50)
    writeFileSync(folder.caBundle, readFileSync(folder.caFile))
    utimesSync(folder.caBundle, new Date(0), new Date(0))
    open()
    expect(readFileSync(folder.caBundle, 'utf8')).toBe(whole)
  })
})

describe('names', () => {
  test.each([
    ['--san', { extra: ['not a name'] }],
    ['--san', { extra: ['a..b'] }],
    ['--san', { extra: ['bücher.example'] }],
    ['--san', { extra: ['*'] }],
    ['--name', { resourceName: 'a.b' }],
    ['--name', { resourceName: '-a' }],
    ['--host', { host: 'a b' }],
  ])('%s %p is refused', (flag, choices) => {
    expect(() => listServerNames(choices)).toThrow(flag)
  })

  test('the listening address belongs to them unless it means all', () => {
    expect(listServerNames({ host: '10.0.0.5' })).toContain('10.0.0.5')
    expect(listServerNames({ host: '0.0.0.0' })).toEqual(listServerNames({}))
    expect(listServerNames({ host: '127.0.0.1' })).toEqual(listServerNames({}))
  })
})
