import { createPrivateKey, X509Certificate } from 'node:crypto'
import { accessSync, constants, readFileSync, statSync } from 'node:fs'
import type { DataFolder, ServerRecord } from '../../boot/folder/data-folder.ts'
import { quotePath, readFileIfThere, requirePrivate } from '../../boot/folder/private-file.ts'
import { certificateNames, tlsFiles } from '../../boot/tls/certificate.ts'
import type { Check } from '../context.ts'

const soonMs = 30 * 86_400_000

/** The folder is ours to write and nobody else's to read; so is every secret in it. */
export function checkFolder(folder: DataFolder): Check[] {
  const name = 'data folder'
  const stat = statSync(folder.path, { throwIfNoEntry: false })
  if (!stat) {
    return [
      { name, level: 'warn', detail: `${folder.path} does not exist yet`, fix: 'The first start makes it: npm start' },
    ]
  }
  if (!stat.isDirectory()) {
    return [{ name, level: 'fail', detail: `${folder.path} is not a folder`, fix: 'Choose another with --data DIR' }]
  }
  const checks: Check[] = []
  if (!canWrite(folder.path)) {
    const fix = `sudo chown -R "$USER" ${quotePath(folder.path)}, or another folder with --data DIR`
    checks.push({ name, level: 'fail', detail: `${folder.path} cannot be written by this user`, fix })
  }
  const mode = stat.mode & 0o777
  if (process.platform !== 'win32' && mode & 0o077) {
    const detail = `${folder.path} is open to others (mode ${mode.toString(8).padStart(4, '0')})`
    checks.push({ name, level: 'warn', detail, fix: `chmod 700 ${quotePath(folder.path)}` })
  }
  checks.push(...listSecrets(folder).flatMap(checkSecret))
  return checks.length > 0 ? checks : [{ name, level: 'ok', detail: `${folder.path}, for this user only` }]
}

function listSecrets(folder: DataFolder): string[] {
  const files = tlsFiles(folder)
  return [
    folder.managementKey,
    folder.metricsKey,
    folder.secretKey,
    files.authorityKey,
    files.serverKey,
    folder.database,
  ]
}

function checkSecret(path: string): Check[] {
  if (!statSync(path, { throwIfNoEntry: false })) return []
  try {
    requirePrivate(path)
    return []
  } catch {
    return [
      { name: 'secrets', level: 'fail', detail: `${path} can be read by others`, fix: `chmod 600 ${quotePath(path)}` },
    ]
  }
}

function canWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** The served certificate: belongs to its key, comes from the authority clients trust, is for this machine, has time left. */
export function checkCertificate(folder: DataFolder, record: ServerRecord | undefined, now: Date): Check[] {
  const isOwn = record?.trust.kind === 'pinned'
  const files = tlsFiles(folder)
  const path = isOwn ? record.trust.file : files.serverCertificate
  const text = readFileIfThere(path)
  if (text === undefined) {
    if (isOwn)
      return [fail(`${path} is missing`, 'Put it back: the server goes on with the old one until it is started again')]
    return [
      { name: 'certificate', level: 'warn', detail: 'there is none yet', fix: 'The first start makes it: npm start' },
    ]
  }
  const certificate = new X509Certificate(text)
  const problems = isOwn ? [] : checkLocal(folder, certificate)
  return [...problems, checkTime(certificate, isOwn, now)]
}

function checkLocal(folder: DataFolder, certificate: X509Certificate): Check[] {
  const key = createPrivateKey(readFileSync(tlsFiles(folder).serverKey))
  const anew = 'Start the server again: it issues a new one'
  if (!certificate.checkPrivateKey(key)) return [fail('the certificate does not belong to its key', anew)]
  const authority = new X509Certificate(readFileSync(folder.caFile))
  if (!certificate.verify(authority.publicKey))
    return [fail(`the certificate was not issued by ${folder.caFile}`, anew)]
  const names = new Set(certificateNames(certificate))
  const missing = ['localhost', '127.0.0.1', '::1'].filter((name) => !names.has(name))
  return missing.length > 0 ? [fail(`the certificate is not for ${missing.join(', ')}`, anew)] : []
}

function checkTime(certificate: X509Certificate, isOwn: boolean, now: Date): Check {
  const leftMs = new Date(certificate.validTo).getTime() - now.getTime()
  const fix = isOwn
    ? 'Renew it; the server picks up the new files by itself'
    : 'Start the server again: it issues a new one'
  if (leftMs <= 0) return fail(`it ended on ${certificate.validTo}`, fix)
  const names = certificateNames(certificate).join(', ')
  const detail = `until ${certificate.validTo}, for ${names || 'no name'}`
  return leftMs < soonMs
    ? { name: 'certificate', level: 'warn', detail, fix }
    : { name: 'certificate', level: 'ok', detail }
}

function fail(detail: string, fix: string): Check {
  return { name: 'certificate', level: 'fail', detail, fix }
}
