import { createReadStream, createWriteStream } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { finished } from 'node:stream/promises'
import { errorCode } from '../../../boot/folder/private-file.ts'
import { Fault } from '../../../core/fault.ts'
import type { CommandContext } from '../../context.ts'
import { drained } from '../../terminal/drained.ts'

/** The size of a file to be read, in bytes. Throws Fault `invalid-request` naming it. */
export async function requireFile(file: string): Promise<number> {
  try {
    const found = await stat(file)
    if (found.isFile()) return found.size
  } catch (error) {
    throw refuseFile(file, error)
  }
  throw new Fault('invalid-request', `${file} is no regular file.`)
}

/** The bytes of a file from `start` up to before `end`. Rejects with Fault `invalid-request` naming it. */
export async function* readFilePieces(
  file: string,
  start = 0,
  end = Number.POSITIVE_INFINITY,
): AsyncGenerator<Uint8Array, undefined> {
  try {
    yield* createReadStream(file, { start, end: end - 1, highWaterMark: 256 * 1024 })
  } catch (error) {
    throw error instanceof Fault ? error : refuseFile(file, error)
  }
}

function refuseFile(file: string, error: unknown): Fault {
  return new Fault('invalid-request', `${file} cannot be read (${errorCode(error) ?? 'unknown reason'}).`)
}

/**
 * Writes bytes to a file, which is there when all of them are, or to standard output for `-`. Rejects with what the bytes reject with, and
 * Fault `invalid-request` naming the file.
 */
export async function writePieces(
  context: CommandContext,
  target: string,
  pieces: AsyncIterable<Uint8Array>,
): Promise<void> {
  if (target === '-') return printPieces(context, pieces)
  const temporary = `${target}.${process.pid}.part`
  const file = createWriteStream(temporary)
  // Told by `finished` too; without a listener it would end the process.
  file.on('error', () => {})
  try {
    for await (const bytes of pieces) {
      if (file.errored) break
      if (!file.write(bytes)) await drained(file)
    }
    file.end()
    await finished(file).catch((error) => {
      throw new Fault('invalid-request', `${target} cannot be written (${errorCode(error) ?? 'unknown reason'}).`)
    })
    await rename(temporary, target)
  } catch (error) {
    file.destroy()
    await rm(temporary, { force: true })
    throw error
  }
}

/** At the pace of whoever reads it; one who has seen enough ends it. */
async function printPieces({ stdout }: CommandContext, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const stream = stdout as Partial<NodeJS.WriteStream> & typeof stdout
  for await (const bytes of pieces) {
    if (stream.writable === false) return
    if (stdout.write(bytes) === false && stream.once) await drained(stream as NodeJS.WriteStream)
  }
}
