import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pages } from '../docs/generate/generate.ts'

const root = resolve(import.meta.dir, '..')

/** When this fails: `node bin/ponto.mjs --run-script docs/generate/generate.ts`, and look at what has changed. */
test.each(Object.entries(pages))('%s says what the code does', (path, render) => {
  expect(readFileSync(join(root, path), 'utf8')).toBe(render())
})
