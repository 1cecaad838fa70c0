import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { createPrivateKey } from 'node:crypto'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readCertificatePair, watchCertificate } from './watch-certificate.ts'
import { issueAuthority, issueServer, type Pair } from './x509/issue-certificate.ts'

const authority = issueAuthority('test', ['localhost'], new Date())
const makePair = (at = new Date()) => issueServer(['localhost'], authority, createPrivateKey(authority.key), at)

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'ponto-watch-'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

function write(pair: Pair, where = home) {
  writeFileSync(join(where, 'cert.pem'), pair.certificate)
  writeFileSync(join(where, 'key.pem'), pair.key)
}
const filesIn = (where: string) => ({ certificateFile: join(where, 'cert.pem'), keyFile: join(where, 'key.pem') })

/** A watch whose reports can be awaited. */
function startWatch(current: Pair, where = home) {
  const reports: (Pair | string)[] = []
  let wake = () => {}
  const report = (what: Pair | string) => {
    reports.push(what)
    wake()
  }
  const stop = watchCertificate({ ...filesIn(where), current, onRenewed: report, onWarning: report, intervalMs: 10 })
  const next = async () => {
    while (reports.length === 0) await new Promise<void>((settle) => (wake = settle))
    return reports.shift()
  }
  return { next, stop, reports }
}

describe('renewed files are found when they are', () => {
  test('written over', async () => {
    const [first, second] = [makePair(), makePair()]
    write(first)
    const watch = startWatch(first)
    write(second)
    expect(await watch.next()).toEqual(second)
    watch.stop()
  })

  test('moved into place', async () => {
    const [first, second] = [makePair(), makePair()]
    write(first)
    const watch = startWatch(first)
    mkdirSync(join(home, 'new'))
    write(second, join(home, 'new'))
    for (const name of ['cert.pem', 'key.pem']) renameSync(join(home, 'new', name), join(home, name))
    expect(await watch.next()).toEqual(second)
    watch.stop()
  })

  test('reached through a link that is swapped, as Kubernetes does it', async () => {
    const [first, second] = [makePair(), makePair()]
    for (const [name, pair] of [
      ['one', first],
      ['two', second],
    ] as const) {
      mkdirSync(join(home, name))
      write(pair, join(home, name))
    }
    symlinkSync('one', join(home, 'live'))
    const watch = startWatch(first, join(home, 'live'))
    symlinkSync('two', join(home, 'next'))
    renameSync(join(home, 'next'), join(home, 'live'))
    expect(await watch.next()).toEqual(second)
    watch.stop()
  })
})

describe('the old pair stays', () => {
  test('while key and certificate do not match, with one warning; then the new one is taken', async () => {
    const [first, second] = [makePair(), makePair()]
    write(first)
    const watch = startWatch(first)
    writeFileSync(join(home, 'cert.pem'), second.certificate)
    expect(await watch.next()).toBe(
      `The renewed certificate is not used, the old one stays: --tls-key ${join(home, 'key.pem')} does not belong to the certificate in ${join(home, 'cert.pem')}.`,
    )
    writeFileSync(join(home, 'key.pem'), second.key)
    expect(await watch.next()).toEqual(second)
    expect(watch.reports).toEqual([])
    watch.stop()
  })

  test('while a file is missing', async () => {
    const first = makePair()
    write(first)
    const watch = startWatch(first)
    rmSync(join(home, 'key.pem'))
    expect(await watch.next()).toContain('does not exist')
    watch.stop()
  })

  test('when only the time of a file changes: the next report is about a later, real change', async () => {
    const [first, second] = [makePair(), makePair()]
    write(first)
    const watch = startWatch(first)
    utimesSync(join(home, 'cert.pem'), new Date(0), new Date(0))
    rmSync(join(home, 'cert.pem'))
    expect(await watch.next()).toContain('does not exist')
    write(second)
    expect(await watch.next()).toEqual(second)
    watch.stop()
  })
})

describe('a pair that cannot be served is refused, saying which flag and why', () => {
  const cases: [string, (pair: Pair) => Partial<Pair>, string][] = [
    ['a certificate that is none', () => ({ certificate: 'x' }), '--tls-cert'],
    ['a key that is none', () => ({ key: 'x' }), 'holds no private key'],
    ['a key with a passphrase', () => ({ key: '-----BEGIN ENCRYPTED PRIVATE KEY-----\nx' }), 'without a passphrase'],
    ['a strange key', () => ({ key: makePair().key }), 'does not belong to the certificate'],
    ['an old certificate', () => makePair(new Date(0)), 'holds a certificate that ended on'],
  ]
  test.each(cases)('%s', (_what, change, message) => {
    const pair = makePair()
    write({ ...pair, ...change(pair) })
    const read = () => readCertificatePair(filesIn(home), new Date())
    expect(read).toThrow(message)
    expect(read).not.toThrow('BEGIN')
  })
})
