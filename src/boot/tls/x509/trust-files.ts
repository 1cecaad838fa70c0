import { readFileSync, statSync } from 'node:fs'
import { rootCertificates } from 'node:tls'
import type { DataFolder } from '../../folder/data-folder.ts'
import { readFileIfThere, writePrivateFile } from '../../folder/private-file.ts'
import * as der from './der.ts'

/** Where systems keep the roots they trust, one PEM file each: Debian, Red Hat, SUSE, Alpine and macOS, FreeBSD. */
const systemBundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
  '/usr/local/share/certs/ca-root-nss.crt',
]

/**
 * Writes the files that clients are pointed at, when they are missing or older than what they are made of: the system's roots
 * together with our authority, as PEM (Python, Go, curl) and as a PKCS #12 store (Java). Both replace a client's own list, so
 * with our authority alone everything else would stop being trusted in that shell.
 */
export function refreshTrustFiles(folder: DataFolder, authority: string): void {
  const system = systemBundles.find((path) => modifiedAt(path) !== undefined)
  const systemMs = system === undefined ? 0 : (modifiedAt(system) ?? 0)
  const bundleMs = modifiedAt(folder.caBundle)
  const isFresh = bundleMs !== undefined && bundleMs >= systemMs && modifiedAt(folder.trustStore) !== undefined
  if (isFresh && readFileIfThere(folder.caBundle)?.startsWith(authority)) return
  const roots = system === undefined ? rootCertificates.join('\n') : readFileSync(system, 'utf8')
  writePrivateFile(folder.trustStore, writeTrustStore([...splitPem(authority), ...splitPem(roots)]))
  writePrivateFile(folder.caBundle, `${authority}\n${roots.trimEnd()}\n`)
}

function modifiedAt(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs
}

function splitPem(text: string): Buffer[] {
  const blocks = text.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/g)
  return [...blocks].map((block) => Buffer.from(block[1] as string, 'base64'))
}

const oid = {
  data: '1.2.840.113549.1.7.1',
  certBag: '1.2.840.113549.1.12.10.1.3',
  x509Certificate: '1.2.840.113549.1.9.22.1',
  friendlyName: '1.2.840.113549.1.9.20',
  /** Java's mark for "this certificate is trusted", here for any use. */
  trustedKeyUsage: '2.16.840.1.113894.746875.1.1',
  anyExtendedKeyUsage: '2.5.29.37.0',
} as const

/** A PKCS #12 store (RFC 7292) of certificates only: they are public, so it has neither password nor encryption. */
export function writeTrustStore(certificates: readonly Buffer[]): Buffer {
  const bags = certificates.map((certificate, index) =>
    der.sequence(
      der.objectId(oid.certBag),
      der.tagged(0, der.sequence(der.objectId(oid.x509Certificate), der.tagged(0, der.octetString(certificate)))),
      der.set(
        attribute(oid.friendlyName, der.bmpString(index === 0 ? 'ponto' : `root-${index}`)),
        attribute(oid.trustedKeyUsage, der.objectId(oid.anyExtendedKeyUsage)),
      ),
    ),
  )
  const safe = der.sequence(dataContent(der.sequence(...bags)))
  return der.sequence(der.integer(Buffer.from([3])), dataContent(safe))
}

function dataContent(content: Buffer): Buffer {
  return der.sequence(der.objectId(oid.data), der.tagged(0, der.octetString(content)))
}

function attribute(type: string, value: Buffer): Buffer {
  return der.sequence(der.objectId(type), der.set(value))
}
