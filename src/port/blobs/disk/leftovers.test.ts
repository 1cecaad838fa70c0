import { afterEach, beforeEach, expect, test } from 'bun:test'
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTemporaryNames, removeLeftovers } from './leftovers.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ponto-leftovers-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const script = (code: string) => [
  '-e',
  `import { createTemporaryNames } from ${JSON.stringify(join(import.meta.dir, 'leftovers.ts'))}
   import { writeFileSync } from 'node:fs'
   writeFileSync(${JSON.stringify(folder)} + '/' + (await createTemporaryNames())(), 'half')
   ${code}`,
]
const hourMs = 3_600_000

test('what this process writes stays', async () => {
  const name = await createTemporaryNames()
  expect(name()).not.toBe(name())
  writeFileSync(join(folder, name()), 'half')
  await removeLeftovers(folder, Date.now() + 1000 * hourMs)
  expect(readdirSync(folder)).toHaveLength(1)
})

test('what a process left goes as soon as that is gone', async () => {
  const child = spawn(process.execPath, script('console.log("written"); setInterval(() => {}, 1000)'))
  await new Promise((done) => child.stdout.once('data', done))
  await removeLeftovers(folder, Date.now())
  expect(readdirSync(folder)).toHaveLength(1)
  const gone = new Promise((done) => child.once('exit', done))
  child.kill('SIGKILL')
  await gone
  await removeLeftovers(folder, Date.now())
  expect(readdirSync(folder)).toEqual([])
})

test.if(process.platform === 'linux')(
  'a process that has the number of one that is gone does not keep what that left',
  async () => {
    const [machine, , start] = (await createTemporaryNames())().split('-')
    writeFileSync(join(folder, `${machine}-${process.pid}-${Number(start) - 1}-${'0'.repeat(24)}`), 'half')
    await removeLeftovers(folder, Date.now())
    expect(readdirSync(folder)).toEqual([])
  },
)

test('what another machine writes stays for a day', async () => {
  spawnSync(process.execPath, script(''))
  const [mine = ''] = readdirSync(folder)
  rmSync(join(folder, mine))
  const other = join(folder, mine.replace(/^[0-9a-f]{12}/, '0123456789ab'))
  writeFileSync(other, 'half')
  const now = Date.now()
  utimesSync(other, new Date(now - 23 * hourMs), new Date(now - 23 * hourMs))
  await removeLeftovers(folder, now)
  expect(readdirSync(folder)).toHaveLength(1)
  await removeLeftovers(folder, now + 2 * hourMs)
  expect(readdirSync(folder)).toEqual([])
})

test('folders in it do no harm', async () => {
  mkdirSync(join(folder, 'something'))
  await removeLeftovers(folder, Date.now())
  expect(readdirSync(folder)).toEqual(['something'])
})
