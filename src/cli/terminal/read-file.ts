import { readFileSync, statSync } from 'node:fs'
import { errorCode } from '../../boot/folder/private-file.ts'
import { Fault } from '../../core/fault.ts'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import type { CommandContext } from '../context.ts'
import { readAll } from './read-secret.ts'

/**
 * The text of a file of at most `limit` octets, `-` being standard input, without a byte order mark. Throws Fault `invalid-request`, naming
 * the file.
 */
export async function readTextFile(context: CommandContext, file: string, limit: number): Promise<string> {
  if (file === '-') return (await readAll(context, limit)).replace(/^\uFEFF/, '')
  const bytes = readBytes(file, limit)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Fault('invalid-request', `${file} is no text in UTF-8.`)
  }
}

function readBytes(file: string, limit: number): Uint8Array {
  try {
    const { size } = statSync(file)
    if (size > limit) throw new Fault('invalid-request', `${file} has ${size} octets, and ${limit} are read at most.`)
    return readFileSync(file)
  } catch (error) {
    if (error instanceof Fault) throw error
    throw new Fault('invalid-request', `${file} cannot be read (${errorCode(error) ?? 'unknown reason'}).`)
  }
}

const largestDocument = 16 * 1_048_576

/** The object that a YAML or JSON file holds. Throws Fault `invalid-request` naming the file, and `what` it should hold. */
export async function readDocumentFile(context: CommandContext, file: string, what: string): Promise<JsonObject> {
  const { parseDocument } = await import('yaml')
  const document = parseDocument(await readTextFile(context, file, largestDocument))
  const problem = document.errors[0]
  if (problem) throw new Fault('invalid-request', `${file}: ${problem.message.trimEnd()}`)
  const value: unknown = document.toJS()
  if (!isJsonObject(value)) throw new Fault('invalid-request', `${file} holds no ${what}.`)
  return value
}

/**
 * The name of what a document is about: the one given, or its own. Throws Fault `invalid-request` where the two differ, and where there is
 * none.
 */
export function requireName(document: JsonObject, file: string, given: string | undefined, noun: string): string {
  const written = document.name
  if (given !== undefined) {
    if (typeof written === 'string' && written.toLowerCase() !== given.toLowerCase()) {
      throw new Fault('invalid-request', `${file} is about "${written}", not "${given}".`)
    }
    return given
  }
  if (typeof written === 'string') return written
  throw new Fault('invalid-request', `${file} names no ${noun}; give it a "name".`)
}
