import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { collect, inChunks, makeBytes } from '../content.fixture.ts'
import { createDiskBlobs } from './create-disk-blobs.ts'

/** A program: fills the disk of 2 MiB that the folder of its argument is on, and tells what it met there. */

const folder = process.argv[2] as string
const blobs = await createDiskBlobs(folder)
const tell = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error) => ({ code: error.code, status: error.status, message: error.message }),
  )

await blobs.write('files/a', inChunks(makeBytes(500_000)))
const tooMuch = await tell(blobs.write('files/a', inChunks(makeBytes(5_000_000))))
const tooMuchJoined = await tell(blobs.join('files/b', Array(9).fill('files/a')))
const left = (await collect(blobs.read('files/a'))).byteLength
const leftovers = await readdir(join(folder, '.writing'))
const afterwards = await tell(blobs.write('files/b', inChunks(makeBytes(500_000))))
process.stdout.write(JSON.stringify({ tooMuch, tooMuchJoined, left, leftovers, afterwards }))
