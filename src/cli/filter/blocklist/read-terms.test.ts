import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CommandContext } from '../../context.ts'
import { readTerms } from './read-terms.ts'

let home: string
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'ponto-terms-'))
})
afterAll(() => rmSync(home, { recursive: true, force: true }))

async function read(text: string | Uint8Array, name = 'terms.txt', form?: 'text' | 'csv') {
  const file = join(home, name)
  writeFileSync(file, text)
  const terms = await readTerms({} as CommandContext, file, form)
  return terms.map(({ line, item }) => [line, item.pattern, item.isRegex])
}

test('a term is a line as it stands', async () => {
  expect(await read('\uFEFFBuilding 7\r\n\n  a,b  \n"quoted"\n')).toEqual([
    [1, 'Building 7', false],
    [3, 'a,b', false],
    [4, '"quoted"', false],
  ])
})

test('CSV by its name, by its first line or by the flag', async () => {
  const rows = [
    [2, 'Building 7', false],
    [3, 'EMP-[0-9]{2,6}', true],
    [4, 'say "hi", twice', false],
    [5, 'bare', false],
  ]
  const text = 'term,isRegex\r\nBuilding 7,false\r\n"EMP-[0-9]{2,6}" ,TRUE\n"say ""hi"", twice",no\nbare\n\n'
  expect(await read(text, 'terms.csv')).toEqual(rows as never)
  expect(await read(text)).toEqual(rows as never)
  expect(await read('a,yes\n', 'terms.txt', 'csv')).toEqual([[1, 'a', true]])
  expect(await read('a,yes\n', 'terms.csv', 'text')).toEqual([[1, 'a,yes', false]])
})

test('tells of every line that cannot be read, and why', async () => {
  const text = 'ok,true\nx,perhaps\na,b,c\n"open\n,true\n"a"b,true\n'
  const file = join(home, 'bad.csv')
  await expect(read(text, 'bad.csv')).rejects.toThrow(
    [
      `${file}:2: isRegex is "perhaps", not true or false`,
      `${file}:3: has 3 columns, and there are two: term, isRegex. Put a term with a comma in quotes`,
      `${file}:4: a quotation mark is not closed, or something follows it; double those inside`,
      `${file}:5: the term is empty`,
      `${file}:6: a quotation mark is not closed, or something follows it; double those inside`,
    ].join('\n'),
  )
})

test('refuses what is too long, empty, no text or not there', async () => {
  await expect(read(`ok\n${'x'.repeat(1001)}\n`)).rejects.toThrow(
    /terms.txt:2: has 1001 characters, and 1000 are the most/,
  )
  await expect(read('\n \n')).rejects.toThrow(/holds no terms/)
  await expect(read(new Uint8Array([0xff, 0x61]))).rejects.toThrow(/terms.txt is no text in UTF-8/)
  await expect(readTerms({} as CommandContext, join(home, 'none'), undefined)).rejects.toThrow(
    /none cannot be read \(ENOENT\)/,
  )
})
