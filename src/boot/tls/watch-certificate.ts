import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { Fault } from '../../core/fault.ts'
import { errorCode } from '../folder/private-file.ts'
import type { Pair } from './x509/issue-certificate.ts'

/** Files of an operator's own certificate, PEM: the server's certificate first, then its chain; and its private key. */
export type CertificateFiles = { readonly certificateFile: string; readonly keyFile: string }

/**
 * Reads the pair and proves that it can be served.
 *
 * @throws Fault `invalid-request` naming the flag, the file and what is wrong; never anything of the key.
 */
export function readCertificatePair(files: CertificateFiles, now: Date): Pair {
  const certificate = readPem('--tls-cert', files.certificateFile)
  const key = readPem('--tls-key', files.keyFile)
  const parsed = attempt(() => new X509Certificate(certificate))
  if (!parsed) throw invalid('--tls-cert', files.certificateFile, 'holds no certificate in PEM form')
  if (/^-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(key)) {
    throw invalid(
      '--tls-key',
      files.keyFile,
      'is encrypted; write it without a passphrase (openssl pkey -in OLD -out NEW)',
    )
  }
  const privateKey = attempt(() => createPrivateKey(key))
  if (!privateKey) throw invalid('--tls-key', files.keyFile, 'holds no private key in PEM form')
  if (!parsed.checkPrivateKey(privateKey)) {
    throw invalid('--tls-key', files.keyFile, `does not belong to the certificate in ${files.certificateFile}`)
  }
  if (new Date(parsed.validTo) <= now) {
    throw invalid('--tls-cert', files.certificateFile, `holds a certificate that ended on ${parsed.validTo}`)
  }
  return { certificate, key }
}

export type CertificateWatch = CertificateFiles & {
  /** What is served now. */
  readonly current: Pair
  readonly onRenewed: (pair: Pair) => void
  /** Called once for each bad state of the files, with a sentence for the log. The old pair stays in use. */
  readonly onWarning: (text: string) => void
  readonly intervalMs?: number
}

/**
 * Calls `onRenewed` with each new valid pair. Looks at the files instead of waiting for file events: renewal tools rename, swap
 * symbolic links and write over network mounts, and two `stat` every two seconds see all of it. A pair that does not match is
 * usually one that is half written, so it counts as bad only when the next look finds it unchanged.
 *
 * @returns A function that ends the watch.
 */
export function watchCertificate(watch: CertificateWatch): () => void {
  let served = watch.current
  let seen = signatureOf(watch)
  let pending: string | undefined
  const look = (): void => {
    const signature = signatureOf(watch)
    if (signature === seen) return
    const isSettled = signature === pending
    pending = signature
    try {
      const pair = readCertificatePair(watch, new Date())
      seen = signature
      if (pair.certificate === served.certificate && pair.key === served.key) return
      served = pair
      watch.onRenewed(pair)
    } catch (error) {
      if (!isSettled) return
      seen = signature
      const reason = error instanceof Error ? error.message : String(error)
      watch.onWarning(`The renewed certificate is not used, the old one stays: ${reason}`)
    }
  }
  const timer = setInterval(look, watch.intervalMs ?? 2_000)
  timer.unref()
  return () => clearInterval(timer)
}

/** Changes whenever one of the files is rewritten, replaced or reached through another link. */
function signatureOf(files: CertificateFiles): string {
  return [files.certificateFile, files.keyFile]
    .map((path) => {
      const stat = attempt(() => statSync(path, { bigint: true }))
      return stat ? `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}` : 'missing'
    })
    .join(' ')
}

function readPem(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const reason = errorCode(error) === 'ENOENT' ? 'does not exist' : `cannot be read (${errorCode(error)})`
    throw invalid(flag, path, reason)
  }
}

function invalid(flag: string, path: string, reason: string): Fault {
  return new Fault('invalid-request', `${flag} ${path} ${reason}.`)
}

function attempt<T>(make: () => T): T | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}
