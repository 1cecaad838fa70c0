import { createPrivateKey, X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import type { DataFolder } from '../folder/data-folder.ts'
import { readFileIfThere, requirePrivate, writePrivateFile } from '../folder/private-file.ts'
import { azureSuffixes, canonicalAddress } from '../server-names.ts'
import { issueAuthority, issueServer, isWithin, type Pair } from './x509/issue-certificate.ts'
import { refreshTrustFiles } from './x509/trust-files.ts'

const renewBeforeMs = 30 * 86_400_000

/**
 * What the authority may ever sign for, besides the names asked for when it was made: this machine, names that the public DNS
 * does not delegate, and those Azure gives resources.
 */
const usualDomains = [
  'localhost',
  'local',
  'internal',
  'lan',
  'home.arpa',
  'test',
  'example',
  'invalid',
  ...azureSuffixes,
]

export type LocalCertificate = Pair & {
  /** What was made in this call, and why: shown to the person. Empty on an ordinary start. */
  readonly notices: readonly string[]
}

/**
 * The certificate the server shows when the operator gave none: from a local authority that clients trust once. Reused until 30
 * days before it ends or until the names change; the authority stays as long as it may sign for the names.
 *
 * @param names From `listServerNames`.
 * @throws Fault `forbidden` when a key file can be read by others.
 */
export function openLocalCertificate(folder: DataFolder, names: readonly string[], now: Date): LocalCertificate {
  const files = tlsFiles(folder)
  const notices: string[] = []
  let authority = readAuthority(folder)
  const reason = whyNewAuthority(authority, names, now)
  if (!authority || reason) {
    authority = makeAuthority(names, now)
    writePrivateFile(files.authorityKey, authority.key)
    writePrivateFile(files.authorityDomains, `${authority.domains.join('\n')}\n`)
    writePrivateFile(folder.caFile, authority.certificate)
    if (reason)
      notices.push(`Made a new certificate authority: ${reason}. Clients have to load ${folder.caFile} again.`)
  }
  let server = readPair(files.serverCertificate, files.serverKey)
  const renewal = whyNewServer(server, authority, names, now)
  if (!server || renewal) {
    server = issueServer(names, authority, createPrivateKey(authority.key), now)
    // Key first: a crash between the two leaves a pair that does not match, which the next start sees and replaces.
    writePrivateFile(files.serverKey, server.key)
    writePrivateFile(files.serverCertificate, server.certificate)
    if (renewal && !reason) notices.push(`Issued a new server certificate: ${renewal}.`)
  }
  refreshTrustFiles(folder, authority.certificate)
  return { ...server, notices }
}

/** Paths of the local authority and the pair it issued. */
export function tlsFiles(folder: DataFolder) {
  return {
    authorityKey: join(folder.tls, 'ca.key'),
    /** What the authority may sign for, a line each: `node:crypto` does not read it out of the certificate. */
    authorityDomains: join(folder.tls, 'ca-domains.txt'),
    serverCertificate: join(folder.tls, 'server.pem'),
    serverKey: join(folder.tls, 'server.key'),
  }
}

type Authority = Pair & { readonly domains: readonly string[] }

function makeAuthority(names: readonly string[], now: Date): Authority {
  const outside = names.filter((name) => !isWithin(name, usualDomains)).map((name) => name.replace(/^\*\./, ''))
  const domains = [...usualDomains, ...new Set(outside)]
  // Told apart by date in a trust store that holds several.
  const commonName = `Ponto local CA ${now.toISOString().slice(0, 19).replace(/:/g, '')}`
  return { ...issueAuthority(commonName, domains, now), domains }
}

function readAuthority(folder: DataFolder): Authority | undefined {
  const files = tlsFiles(folder)
  const pair = readPair(folder.caFile, files.authorityKey)
  const domains = readFileIfThere(files.authorityDomains)?.trim().split('\n')
  return pair && domains ? { ...pair, domains } : undefined
}

function readPair(certificateFile: string, keyFile: string): Pair | undefined {
  const certificate = readFileIfThere(certificateFile)
  const key = readFileIfThere(keyFile)
  if (certificate === undefined || key === undefined) return undefined
  requirePrivate(keyFile)
  return { certificate, key }
}

/** Undefined also when there is none yet, which needs no explanation. */
function whyNewAuthority(authority: Authority | undefined, names: readonly string[], now: Date): string | undefined {
  if (!authority) return undefined
  const parsed = parsePair(authority)
  if (!parsed) return 'the old one was damaged'
  if (endsSoon(parsed, now)) return `the old one ends on ${parsed.validTo}`
  const outside = names.filter((name) => !isWithin(name, authority.domains))
  return outside.length > 0 ? `the old one may not sign for ${outside.join(', ')}` : undefined
}

function whyNewServer(
  server: Pair | undefined,
  authority: Pair,
  names: readonly string[],
  now: Date,
): string | undefined {
  if (!server) return undefined
  const parsed = parsePair(server)
  if (!parsed) return 'the old one did not match its key'
  if (!parsed.verify(new X509Certificate(authority.certificate).publicKey)) return 'the authority is new'
  if (endsSoon(parsed, now)) return `the old one ends on ${parsed.validTo}`
  return sameNames(certificateNames(parsed), names) ? undefined : 'the names it is for have changed'
}

function parsePair(pair: Pair): X509Certificate | undefined {
  try {
    const certificate = new X509Certificate(pair.certificate)
    return certificate.checkPrivateKey(createPrivateKey(pair.key)) ? certificate : undefined
  } catch {
    return undefined
  }
}

function endsSoon(certificate: X509Certificate, now: Date): boolean {
  return new Date(certificate.validTo).getTime() - now.getTime() < renewBeforeMs
}

/** Names and addresses a certificate is for, in the spelling of `listServerNames`. */
export function certificateNames(certificate: X509Certificate): string[] {
  const entries = certificate.subjectAltName?.split(', ') ?? []
  return entries.map((entry) => {
    const value = entry.slice(entry.indexOf(':') + 1)
    return entry.startsWith('IP Address:') ? canonicalAddress(value) : value.toLowerCase()
  })
}

function sameNames(left: readonly string[], right: readonly string[]): boolean {
  const set = new Set(left)
  return set.size === new Set(right).size && right.every((name) => set.has(name))
}
