import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { Fault } from '../fault.ts'

/** Encrypts what must be read again, such as an upstream's credential, so that the database alone gives nothing away. */
export type Sealer = {
  /**
   * `plain` encrypted as `v1.<iv>.<ciphertext and tag>`, base64url. `context` says what the secret belongs to and is bound to it:
   * a sealed value moved to another row does not open.
   */
  seal(plain: string, context: string): string
  /** The plain text. Throws Fault `state-unusable` when the value is damaged, belongs elsewhere or was sealed under another master key. */
  open(sealed: string, context: string): string
}

const keyLength = 32
const ivLength = 12
const tagLength = 16
const pattern = /^v1\.([A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]{22,})$/

/** AES-256-GCM under a 32-byte master key. */
export function createSealer(masterKey: Uint8Array): Sealer {
  if (masterKey.length !== keyLength) {
    throw new Fault('state-unusable', `The master key has ${masterKey.length} bytes; it must have ${keyLength}.`)
  }
  // A copy: whoever reads the key file may wipe its buffer.
  const key = Uint8Array.from(masterKey)
  return {
    seal(plain, context) {
      const iv = randomBytes(ivLength)
      const cipher = createCipheriv('aes-256-gcm', key, iv)
      cipher.setAAD(Buffer.from(context))
      const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()])
      return `v1.${iv.toString('base64url')}.${body.toString('base64url')}`
    },
    open(sealed, context) {
      const match = pattern.exec(sealed)
      if (!match)
        throw new Fault('state-unusable', `The stored secret of ${context} is not in the form v1.<iv>.<ciphertext>.`)
      const iv = Buffer.from(match[1] as string, 'base64url')
      const body = Buffer.from(match[2] as string, 'base64url')
      const decipher = createDecipheriv('aes-256-gcm', key, iv)
      decipher.setAAD(Buffer.from(context))
      decipher.setAuthTag(body.subarray(-tagLength))
      try {
        return decipher.update(body.subarray(0, -tagLength), undefined, 'utf8') + decipher.final('utf8')
      } catch {
        throw new Fault(
          'state-unusable',
          `The stored secret of ${context} does not open with this master key. Start with the master key it was sealed ` +
            'under, or set the secret again.',
        )
      }
    },
  }
}
