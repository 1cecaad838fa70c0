import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { isIP } from 'node:net'

/** A private authority and a server certificate it signed, as PEM texts. */
export type TestCertificate = { readonly ca: string; readonly cert: string; readonly key: string }

/** Makes a throwaway authority and a certificate for `names` (DNS names or IPv4 addresses), valid for a day. */
export function makeCertificate(names: readonly string[]): TestCertificate {
  const authority = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const server = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const issuer = `Test authority ${Math.random().toString(36).slice(2)}`
  const ca = signCertificate(issuer, issuer, authority.publicKey, authority.privateKey, [
    extension('551d13', der(0x30, der(0x01, Buffer.from([0xff]))), true),
  ])
  const cert = signCertificate(names[0] ?? 'server', issuer, server.publicKey, authority.privateKey, [
    extension('551d11', der(0x30, ...names.map(alternativeName)), false),
  ])
  return {
    ca: toPem(ca),
    cert: toPem(cert),
    key: server.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

// A certificate is small enough to be written by hand: RFC 5280 section 4.1, X.690 for the encoding.
function signCertificate(
  subject: string,
  issuer: string,
  key: KeyObject,
  signer: KeyObject,
  extensions: Buffer[],
): Buffer {
  const ecdsaWithSha256 = der(0x30, oid('2a8648ce3d040302'))
  const body = der(
    0x30,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1 + Math.floor(Math.random() * 126), ...crypto.getRandomValues(new Uint8Array(7))])),
    ecdsaWithSha256,
    commonName(issuer),
    der(0x30, utcTime(-3_600_000), utcTime(86_400_000)),
    commonName(subject),
    key.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(0x30, ...extensions)),
  )
  const signature = createSign('sha256').update(body).sign(signer)
  return der(0x30, body, ecdsaWithSha256, der(0x03, Buffer.from([0]), signature))
}

function extension(id: string, value: Buffer, isCritical: boolean): Buffer {
  const critical = isCritical ? [der(0x01, Buffer.from([0xff]))] : []
  return der(0x30, oid(id), ...critical, der(0x04, value))
}

function alternativeName(name: string): Buffer {
  return isIP(name) === 4 ? der(0x87, Buffer.from(name.split('.').map(Number))) : der(0x82, Buffer.from(name))
}

function commonName(name: string): Buffer {
  return der(0x30, der(0x31, der(0x30, oid('550403'), der(0x0c, Buffer.from(name)))))
}

function utcTime(offsetMs: number): Buffer {
  const digits = new Date(Date.now() + offsetMs).toISOString().replace(/[-:T]/g, '').slice(2, 14)
  return der(0x17, Buffer.from(`${digits}Z`))
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'))
}

function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const size = content.length
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}

function toPem(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}
