import { expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { brotliDecompressSync, gzipSync } from 'node:zlib'
import { type BuiltManifest, fingerprintSources } from '../web/build.ts'

/** The portal is kept as it was built. When the first of these fails: `npm run portal`. */

const built = resolve(import.meta.dir, '../web/built')
const manifest = JSON.parse(readFileSync(join(built, 'manifest.json'), 'utf8')) as BuiltManifest
const { files, script, style, preload } = manifest
const read = (name: string) => brotliDecompressSync(readFileSync(join(built, `${name}.br`)))

/** A browser has to take no more than this before it shows something. */
const mostBytes = 250_000

test('the portal is built from the sources that are there', () => {
  expect(manifest.fingerprint).toBe(fingerprintSources())
})

test('every file of it is there, and no other', () => {
  expect(readdirSync(built).sort()).toEqual([...files.map((name) => `${name}.br`), 'manifest.json'].sort())
})

test('what one script imports of another is there', () => {
  for (const name of files.filter((one) => one.endsWith('.js'))) {
    const imports = [
      ...read(name)
        .toString()
        .matchAll(/["'`]\/portal\/assets\/([^"'`]+)["'`]/g),
    ]
    for (const [, path = ''] of imports) expect(files, `${name} imports it`).toContain(path)
  }
})

test('a browser loads little before it shows something', () => {
  const sizes = [script, style, ...preload].map((name) => gzipSync(read(name)).length)
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(mostBytes)
})
