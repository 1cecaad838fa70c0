import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { collect, inChunks, makeBytes } from '../content.fixture.ts'
import { describeBlobsContract } from '../contract.ts'
import { createDiskBlobs } from './create-disk-blobs.ts'

const makeFolder = () => mkdtempSync(join(tmpdir(), 'ponto-blobs-'))

describeBlobsContract('disk', async () => {
  const folder = makeFolder()
  return {
    blobs: await createDiskBlobs(join(folder, 'blobs')),
    reopen: () => createDiskBlobs(join(folder, 'blobs')),
    remove: async () => rmSync(folder, { recursive: true, force: true }),
  }
})

describe('blobs on disk', () => {
  let outside: string
  let folder: string
  beforeEach(() => {
    outside = makeFolder()
    folder = join(outside, 'data', 'blobs')
  })
  afterEach(() => rmSync(outside, { recursive: true, force: true }))

  const some = () => inChunks(makeBytes(600_000))
  const modeOf = (...path: string[]) => (statSync(join(folder, ...path)).mode & 0o777).toString(8)
  const written = () => readdirSync(join(folder, '.writing'))
  const faultOf = (work: Promise<unknown>) =>
    work.then(
      () => undefined,
      (error) => ({ code: error.code, status: error.status, message: error.message }),
    )
  const unusable = {
    code: 'storage-unavailable',
    status: 503,
    message: 'The storage of the server cannot be used at the moment.',
  }

  test('are for this user alone', async () => {
    const blobs = await createDiskBlobs(folder)
    await blobs.write('uploads/u/p', some())
    expect([modeOf(), modeOf('.writing'), modeOf('uploads'), modeOf('uploads', 'u')]).toEqual([
      '700',
      '700',
      '700',
      '700',
    ])
    expect(modeOf('uploads', 'u', 'p.blob')).toBe('600')
  })

  test('close a folder that was open to others', async () => {
    mkdirSync(folder, { recursive: true })
    chmodSync(folder, 0o755)
    await createDiskBlobs(folder)
    expect(modeOf()).toBe('700')
  })

  test('lie beside while they are written, and leave nothing when that fails', async () => {
    const blobs = await createDiskBlobs(folder)
    const meanwhile: number[] = []
    const broken = async function* () {
      yield* some()
      meanwhile.push(written().length)
      throw new Error('gone')
    }
    await expect(blobs.write('files/a', broken())).rejects.toThrow('gone')
    expect(meanwhile).toEqual([1])
    expect(written()).toEqual([])
    await expect(blobs.join('files/a', ['files/nobody'])).rejects.toThrow('There is no content')
    expect(written()).toEqual([])
  })

  test('take the folder of the last blob away, and can make it again at the same time', async () => {
    const blobs = await createDiskBlobs(folder)
    const busy = async (name: string) => {
      for (let i = 0; i < 100; i++) {
        await blobs.write(`uploads/u/${name}`, inChunks(makeBytes(10)))
        await blobs.delete(`uploads/u/${name}`)
      }
    }
    await Promise.all(['a', 'b', 'c', 'd'].map(busy))
    expect(readdirSync(join(folder, 'uploads'))).toEqual([])
  })

  test('are not read nor written through links', async () => {
    const blobs = await createDiskBlobs(folder)
    await blobs.write('files/a', some())
    mkdirSync(join(outside, 'other'))
    writeFileSync(join(outside, 'other', 'secret.blob'), 'secret')
    symlinkSync(join(outside, 'other'), join(folder, 'links'))
    symlinkSync(join(outside, 'other', 'secret.blob'), join(folder, 'files', 'link.blob'))
    expect(await faultOf(collect(blobs.read('links/secret')))).toEqual(unusable)
    expect(await faultOf(collect(blobs.read('files/link')))).toEqual(unusable)
    expect(await faultOf(blobs.size('links/secret'))).toEqual(unusable)
    expect(await faultOf(blobs.delete('links/secret'))).toEqual(unusable)
    expect(await faultOf(blobs.write('links/new', some()))).toEqual(unusable)
    expect(await faultOf(blobs.join('files/b', ['links/secret']))).toEqual(unusable)
    expect(readdirSync(join(outside, 'other'))).toEqual(['secret.blob'])
    expect((await Array.fromAsync(blobs.list(''))).map(({ key }) => key)).toEqual(['files/a'])
    // A link in the place of a blob is replaced, not followed.
    await blobs.write('files/link', some())
    expect(statSync(join(outside, 'other', 'secret.blob')).size).toBe(6)
  })

  test('are not taken for what others put there', async () => {
    const blobs = await createDiskBlobs(folder)
    await blobs.write('files/a', some())
    for (const name of ['.hidden', 'no-blob', 'with blank.blob', 'lost+found.blob']) {
      writeFileSync(join(folder, 'files', name), 'x')
    }
    expect((await Array.fromAsync(blobs.list(''))).map(({ key }) => key)).toEqual(['files/a'])
  })

  test.if(process.platform === 'linux')(
    'let go of the file when a reader stops, and are read to the end when replaced',
    async () => {
      const blobs = await createDiskBlobs(folder)
      await blobs.write('files/a', some())
      const opened = () =>
        readdirSync('/proc/self/fd').filter((fd) => {
          try {
            return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder)
          } catch {
            return false
          }
        }).length
      const reader = blobs.read('files/a')[Symbol.asyncIterator]()
      await reader.next()
      expect(opened()).toBe(1)
      await reader.return?.()
      expect(opened()).toBe(0)
      let bytes = 0
      for await (const piece of blobs.read('files/a')) {
        if (bytes === 0) await blobs.write('files/a', inChunks(makeBytes(5)))
        bytes += piece.byteLength
      }
      expect(bytes).toBe(600_000)
      expect(opened()).toBe(0)
    },
  )

  test('say nothing of where they are when that cannot be used', async () => {
    const blobs = await createDiskBlobs(folder)
    await blobs.write('files/a', some())
    rmSync(join(folder, 'files', 'a.blob'))
    mkdirSync(join(folder, 'files', 'a.blob'))
    expect(await faultOf(blobs.write('files/a', some()))).toEqual(unusable)
    expect(await faultOf(blobs.delete('files/a'))).toEqual(unusable)
    expect(await faultOf(collect(blobs.read('files/a')))).toEqual(unusable)
    expect(written()).toEqual([])
    writeFileSync(join(outside, 'file'), '')
    expect(await faultOf(createDiskBlobs(join(outside, 'file')))).toEqual(unusable)
  })

  const fullDisk = (): string[] => [
    'unshare',
    '-rm',
    'sh',
    '-c',
    'mount -t tmpfs -o size=2m tmpfs "$1" && shift && exec "$@"',
    'sh',
  ]
  const canMount = () => {
    const [program = '', ...args] = fullDisk()
    const folder = makeFolder()
    const { status } = spawnSync(program, [...args, folder, 'true'])
    rmSync(folder, { recursive: true, force: true })
    return status === 0
  }
  test.if(canMount())('say that the disk is full, keep what was there and go on when there is room', () => {
    mkdirSync(folder, { recursive: true })
    const [program = '', ...args] = fullDisk()
    const script = join(import.meta.dir, 'full-disk.fixture.ts')
    const ended = spawnSync(program, [...args, folder, process.execPath, script, folder], { encoding: 'utf8' })
    const full = { code: 'storage-unavailable', status: 507, message: 'The disk of the server is full.' }
    expect({ ...ended, output: [], pid: 0 }).toMatchObject({ status: 0, stderr: '' })
    expect(JSON.parse(ended.stdout)).toEqual({
      tooMuch: full,
      tooMuchJoined: full,
      left: 500_000,
      leftovers: [],
      afterwards: 'done',
    })
  })
})
