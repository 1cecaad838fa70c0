import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDataFolder, type DataFolder, locateDataFolder } from './folder/data-folder.ts'
import { makeResourceKey, openManagementCredential, openMasterKey, openMetricsCredential } from './secrets.ts'

let folder: DataFolder
beforeEach(() => {
  const given = mkdtempSync(join(tmpdir(), 'ponto-secrets-'))
  folder = locateDataFolder({ given, homeFolder: given })
  createDataFolder(folder)
})
afterEach(() => rmSync(folder.path, { recursive: true, force: true }))

const mode = (path: string) => statSync(path).mode & 0o777

describe('resource keys', () => {
  test('84 letters and digits, each about as often as the others', () => {
    const keys = Array.from({ length: 1000 }, makeResourceKey)
    expect(new Set(keys).size).toBe(1000)
    const counts = new Map<string, number>()
    for (const key of keys) {
      expect(key).toMatch(/^[A-Za-z0-9]{84}$/)
      for (const letter of key) counts.set(letter, (counts.get(letter) ?? 0) + 1)
    }
    expect(counts.size).toBe(62)
    // 84,000 letters, 1355 of each expected, standard deviation 37: a remainder without rejection would give 1640 to the first.
    for (const count of counts.values()) expect(Math.abs(count - 1355)).toBeLessThan(230)
  })
})

describe('the management credential', () => {
  test('is made once, private, and read again', () => {
    const made = openManagementCredential(folder)
    expect(made).toMatch(/^ponto-mgmt-[A-Za-z0-9]{64}$/)
    expect(mode(folder.managementKey)).toBe(0o600)
    expect(openManagementCredential(folder)).toBe(made)
  })

  test('is refused when others can read it, or when it is none; its text is not shown', () => {
    const made = openManagementCredential(folder)
    chmodSync(folder.managementKey, 0o604)
    expect(() => openManagementCredential(folder)).toThrow(`(mode 0604). Run: chmod 600 ${folder.managementKey}`)
    chmodSync(folder.managementKey, 0o600)
    writeFileSync(folder.managementKey, made.slice(0, 20))
    expect(() => openManagementCredential(folder)).toThrow('holds no management credential')
    expect(() => openManagementCredential(folder)).not.toThrow(made.slice(0, 20))
  })
})

describe('the credential of the metrics', () => {
  test('is made once, private, and read again', () => {
    const made = openMetricsCredential(folder, undefined)
    expect(made).toMatch(/^ponto-metrics-[A-Za-z0-9]{48}$/)
    expect(mode(folder.metricsKey)).toBe(0o600)
    expect(openMetricsCredential(folder, undefined)).toBe(made)
    chmodSync(folder.metricsKey, 0o604)
    expect(() => openMetricsCredential(folder, undefined)).toThrow(`chmod 600 ${folder.metricsKey}`)
  })

  test("is the operator's own where there is one, if that can be called one", () => {
    expect(openMetricsCredential(folder, 'sixteen-letters!')).toBe('sixteen-letters!')
    for (const bad of ['', 'short', 'with a blank in it, but long']) {
      expect(() => openMetricsCredential(folder, bad)).toThrow('PONTO_SECRET_METRICS_TOKEN must have 16 characters')
    }
  })
})

describe('the master key', () => {
  test('is made once, private, and read again', () => {
    const made = openMasterKey(folder)
    expect(made).toHaveLength(32)
    expect(mode(folder.secretKey)).toBe(0o600)
    expect(openMasterKey(folder)).toEqual(made)
  })

  const key = randomBytes(32)
  const forms: [string, string | Buffer][] = [
    ['raw octets', key],
    ['base64', `${key.toString('base64')}\n`],
    ['hexadecimal', `${key.toString('hex')}\n`],
  ]
  test.each(forms)('from a file of %s', (_form, content) => {
    const file = join(folder.path, 'mine.key')
    writeFileSync(file, content, { mode: 0o600 })
    expect(openMasterKey(folder, file)).toEqual(key)
  })

  test.each(['', 'short', randomBytes(31), `${key.toString('base64')}AAAA`])('not from %p', (content) => {
    const file = join(folder.path, 'mine.key')
    writeFileSync(file, content, { mode: 0o600 })
    expect(() => openMasterKey(folder, file)).toThrow('is not a key: it must hold 32 octets')
  })

  test('not from a file that is missing or open to others', () => {
    const file = join(folder.path, 'my key')
    expect(() => openMasterKey(folder, file)).toThrow(`(umask 077; openssl rand -base64 32 > '${file}')`)
    writeFileSync(file, key, { mode: 0o640 })
    expect(() => openMasterKey(folder, file)).toThrow(`chmod 600 '${file}'`)
  })
})
