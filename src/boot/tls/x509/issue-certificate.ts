import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { addressOctets } from '../../server-names.ts'
import * as der from './der.ts'

/** X.509 v3 certificates with EC P-256 keys, as RFC 5280 profiles them. Pure: keys and certificates as text, the clock passed in. */

export type Pair = {
  /** PEM. */
  readonly certificate: string
  /** PKCS #8, PEM. */
  readonly key: string
}

const oid = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
} as const

const day = 86_400_000
const authorityDays = 3650
/** Clients of the web PKI refuse more than 398. */
const serverDays = 397
/** A clock that is a little behind must not find the certificate "not yet valid". */
const backdatedMs = day

/**
 * A self-signed authority. It can sign for `domains` and names below them and no other names, so that its key is of little use to
 * a thief. IP addresses are not limited: BoringSSL refuses every certificate under a limit on them.
 */
export function issueAuthority(commonName: string, domains: readonly string[], now: Date): Pair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = distinguishedName(commonName)
  return issue({
    subject: name,
    issuer: name,
    publicKey,
    key: privateKey,
    signer: privateKey,
    now,
    days: authorityDays,
    extensions: [
      extension(oid.basicConstraints, der.sequence(der.boolean(true), der.integer(Buffer.from([0]))), 'critical'),
      // keyCertSign (5) and cRLSign (6)
      extension(oid.keyUsage, der.bitString(Buffer.from([0b0000_0110]), 1), 'critical'),
      extension(oid.nameConstraints, nameConstraints(domains), 'critical'),
      extension(oid.subjectKeyId, der.octetString(keyId(publicKey))),
    ],
  })
}

/** A server certificate for `names` (DNS names, wildcards, IP addresses), signed by the authority. */
export function issueServer(names: readonly string[], authority: Pair, authorityKey: KeyObject, now: Date): Pair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const authorityCertificate = new X509Certificate(authority.certificate)
  return issue({
    subject: distinguishedName('Ponto server'),
    issuer: subjectOf(authorityCertificate),
    publicKey,
    key: privateKey,
    signer: authorityKey,
    now,
    days: serverDays,
    notAfterLimit: new Date(authorityCertificate.validTo),
    extensions: [
      extension(oid.basicConstraints, der.sequence(), 'critical'),
      // digitalSignature (0)
      extension(oid.keyUsage, der.bitString(Buffer.from([0b1000_0000]), 7), 'critical'),
      extension(oid.extendedKeyUsage, der.sequence(der.objectId(oid.serverAuth))),
      extension(oid.subjectAltName, der.sequence(...names.map(generalName))),
      extension(oid.subjectKeyId, der.octetString(keyId(publicKey))),
      extension(oid.authorityKeyId, der.sequence(der.taggedString(0, keyId(authorityCertificate.publicKey)))),
    ],
  })
}

type Issuance = {
  readonly subject: Buffer
  readonly issuer: Buffer
  readonly publicKey: KeyObject
  readonly key: KeyObject
  readonly signer: KeyObject
  readonly now: Date
  readonly days: number
  readonly notAfterLimit?: Date
  readonly extensions: readonly Buffer[]
}

function issue(what: Issuance): Pair {
  const notBefore = new Date(what.now.getTime() - backdatedMs)
  const wanted = new Date(notBefore.getTime() + what.days * day)
  const notAfter = what.notAfterLimit && what.notAfterLimit < wanted ? what.notAfterLimit : wanted
  const algorithm = der.sequence(der.objectId(oid.ecdsaWithSha256))
  const serial = randomBytes(16)
  serial[0] = ((serial[0] as number) & 0x7f) | 0x40
  const toSign = der.sequence(
    der.tagged(0, der.integer(Buffer.from([2]))),
    der.integer(serial),
    algorithm,
    what.issuer,
    der.sequence(der.time(notBefore), der.time(notAfter)),
    what.subject,
    what.publicKey.export({ type: 'spki', format: 'der' }),
    der.tagged(3, der.sequence(...what.extensions)),
  )
  const signature = sign('sha256', toSign, what.signer)
  return {
    certificate: toPem(der.sequence(toSign, algorithm, der.bitString(signature))),
    key: what.key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

function toPem(certificate: Buffer): string {
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}

function distinguishedName(commonName: string): Buffer {
  const attribute = (type: string, value: string) => der.set(der.sequence(der.objectId(type), der.utf8String(value)))
  return der.sequence(attribute(oid.organization, 'Ponto'), attribute(oid.commonName, commonName))
}

/** The issuer of a leaf has to equal the subject of its authority octet by octet, and we wrote that from its common name. */
function subjectOf(certificate: X509Certificate): Buffer {
  return distinguishedName(/^CN=(.*)$/m.exec(certificate.subject)?.[1] ?? '')
}

function extension(type: string, value: Buffer, critical?: 'critical'): Buffer {
  return der.sequence(der.objectId(type), ...(critical ? [der.boolean(true)] : []), der.octetString(value))
}

/** SHA-1 over the public key bits, method 1 of RFC 5280 4.2.1.2: an identifier, nothing relies on its strength. */
function keyId(key: KeyObject): Buffer {
  const spki = key.export({ type: 'spki', format: 'der' })
  // The bits of a P-256 key are the last 65 octets of its SubjectPublicKeyInfo.
  return createHash('sha1').update(spki.subarray(-65)).digest()
}

function generalName(name: string): Buffer {
  return isIP(name) ? der.taggedString(7, addressOctets(name)) : der.taggedString(2, Buffer.from(name, 'latin1'))
}

function nameConstraints(domains: readonly string[]): Buffer {
  const subtrees = domains.map((domain) => der.sequence(der.taggedString(2, Buffer.from(domain, 'latin1'))))
  return der.sequence(der.tagged(0, ...subtrees))
}

/** Whether an authority limited to `domains` may sign for `name`. */
export function isWithin(name: string, domains: readonly string[]): boolean {
  const plain = name.replace(/^\*\./, '')
  return Boolean(isIP(name)) || domains.some((domain) => plain === domain || plain.endsWith(`.${domain}`))
}
