import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Fault } from '../core/fault.ts'
import type { DataFolder } from './folder/data-folder.ts'
import { errorCode, quotePath, readFileIfThere, requirePrivate, writePrivateFile } from './folder/private-file.ts'

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const resourceKeyLength = 84
const masterKeyBytes = 32

/** A resource key: 84 letters and digits, as newer Azure keys have it. About 500 bits. */
export function makeResourceKey(): string {
  return randomLetters(resourceKeyLength)
}

/** Every letter equally likely: octets that would favour the first ones are thrown away. */
function randomLetters(length: number): string {
  const limit = 256 - (256 % letters.length)
  let text = ''
  while (text.length < length) {
    for (const octet of randomBytes(length * 2)) {
      if (octet < limit && text.length < length) text += letters[octet % letters.length]
    }
  }
  return text
}

/**
 * The management credential, made at first start. Whoever can read the file can manage the server.
 *
 * @throws Fault `forbidden` when others can read the file, `conflict` when it is damaged.
 */
export function openManagementCredential(folder: DataFolder): string {
  const found = readManagementCredential(folder)
  if (found !== undefined) return found
  const credential = `ponto-mgmt-${randomLetters(64)}`
  writePrivateFile(folder.managementKey, `${credential}\n`)
  return credential
}

/**
 * The credential that opens the metrics and nothing else: the operator's own, else one that is made at first start.
 *
 * @throws Fault `forbidden` when others can read the file, `conflict` when it is damaged, `invalid-request` for a credential that is short.
 */
export function openMetricsCredential(folder: DataFolder, own: string | undefined): string {
  if (own !== undefined) {
    if (own.length >= 16 && !/\s/.test(own)) return own
    throw new Fault(
      'invalid-request',
      'PONTO_SECRET_METRICS_TOKEN must have 16 characters at least, and no blanks. Leave it out to have one made.',
    )
  }
  const found = readFileIfThere(folder.metricsKey)?.trim()
  if (found === undefined) {
    const credential = `ponto-metrics-${randomLetters(48)}`
    writePrivateFile(folder.metricsKey, `${credential}\n`)
    return credential
  }
  requirePrivate(folder.metricsKey)
  if (found.length >= 32 && !/\s/.test(found)) return found
  throw new Fault(
    'conflict',
    `${folder.metricsKey} holds no credential. Remove it and start again to get a new one: rm ${quotePath(folder.metricsKey)}`,
  )
}

/** The credential if there is one. Throws as `openManagementCredential`. */
export function readManagementCredential(folder: DataFolder): string | undefined {
  const text = readFileIfThere(folder.managementKey)?.trim()
  if (text === undefined) return undefined
  requirePrivate(folder.managementKey)
  if (text.length >= 32 && !/\s/.test(text)) return text
  throw new Fault(
    'conflict',
    `${folder.managementKey} holds no management credential. Remove it and start again to get a new one: rm ${quotePath(folder.managementKey)}`,
  )
}

/**
 * The key under which credentials and resource keys are encrypted at rest, 32 bytes: from the operator's file (base64, hex or raw
 * octets), else from a file of the data folder, made when there is none.
 *
 * @throws Fault `invalid-request`, `forbidden` or `conflict`, naming the file and what to run; never its content.
 */
export function openMasterKey(folder: DataFolder, operatorFile?: string): Buffer {
  const path = operatorFile ?? folder.secretKey
  const content = readKeyFile(path)
  if (content) {
    requirePrivate(path)
    const key = decodeMasterKey(content)
    if (key) return key
    throw new Fault(
      'conflict',
      `${path} is not a key: it must hold 32 octets, as base64, as hexadecimal digits or raw.`,
    )
  }
  if (operatorFile !== undefined) {
    const file = quotePath(path)
    throw new Fault(
      'invalid-request',
      `--secret-key-file ${path} does not exist. Make it: (umask 077; openssl rand -base64 32 > ${file})`,
    )
  }
  const key = randomBytes(masterKeyBytes)
  writePrivateFile(path, `${key.toString('base64')}\n`)
  return key
}

function readKeyFile(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw new Fault('forbidden', `The key file ${path} cannot be read (${errorCode(error) ?? 'unknown reason'}).`)
  }
}

function decodeMasterKey(content: Buffer): Buffer | undefined {
  if (content.length === masterKeyBytes) return Buffer.from(content)
  const text = content.toString('latin1').trim()
  if (/^[0-9a-fA-F]{64}$/.test(text)) return Buffer.from(text, 'hex')
  if (/^[A-Za-z0-9+/]{43}=?$/.test(text)) return Buffer.from(text, 'base64')
  return undefined
}
