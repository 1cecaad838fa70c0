import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatFailure, loadConfig } from './load-config.ts'
import { type ConfigWatch, watchConfig } from './watch-config.ts'

const options = {
  builtinModels: [{ format: 'Ponto', name: 'builtin-nano', version: '1' }],
  readSecret: () => undefined,
  now: () => 0,
}
const declare = (...names: string[]) =>
  `deployments:\n${names.map((name) => `  - { name: ${name}, model: { name: builtin-nano } }\n`).join('')}`

let folder: string
let file: string
let watching: ConfigWatch | undefined
/** What the handlers were told: the names declared, or the failure. */
let told: string[]
let waiting: { isMet: (told: readonly string[]) => boolean; resolve: () => void } | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ponto-config-'))
  file = join(folder, 'ponto.yaml')
  told = []
})
afterEach(() => {
  watching?.close()
  rmSync(folder, { recursive: true, force: true })
})

async function start(path = file): Promise<void> {
  const tell = (text: string) => {
    told.push(text.replaceAll(folder, ''))
    if (waiting?.isMet(told)) waiting.resolve()
  }
  watching = await watchConfig(path, options, {
    onChange: (config) => tell(config.deployments.map(({ spec }) => spec.name).join(' ')),
    onError: (failure) => tell(formatFailure(failure)),
  })
}

/** Waits until the handlers were told this last. The runner's own time limit ends it otherwise. */
async function toldLast(text: string): Promise<void> {
  const isMet = (list: readonly string[]) => list.at(-1) === text
  if (isMet(told)) return
  await new Promise<void>((resolve) => {
    waiting = { isMet, resolve }
  })
}

describe('watchConfig', () => {
  test('tells the first state before it resolves, and each later one', async () => {
    writeFileSync(file, declare('one'))
    await start()
    expect(told).toEqual(['one'])
    writeFileSync(file, declare('one', 'two'))
    await toldLast('one two')
  })

  test('an invalid change is told with its place, and a valid one afterwards counts again', async () => {
    writeFileSync(file, declare('one'))
    await start()
    writeFileSync(file, declare('x'))
    await toldLast('/ponto.yaml:2:13: deployments[0].name: got "x", expected 2 to 64 letters, digits, "-", "_" or "."')
    writeFileSync(file, declare('two'))
    await toldLast('two')
    expect(told).toHaveLength(3)
  })

  test('an editor that renames a new file over the old one is followed, again and again', async () => {
    writeFileSync(file, declare('start'))
    await start()
    for (const name of ['first', 'second', 'third']) {
      writeFileSync(join(folder, 'ponto.yaml~'), declare(name))
      renameSync(join(folder, 'ponto.yaml~'), file)
      await toldLast(name)
    }
    expect(told).toEqual(['start', 'first', 'second', 'third'])
  })

  test('a link swapped beside the file is followed, as Kubernetes swaps a config map', async () => {
    for (const version of ['v1', 'v2']) {
      mkdirSync(join(folder, version))
      writeFileSync(join(folder, version, 'ponto.yaml'), declare(version))
    }
    symlinkSync('v1', join(folder, '..data'))
    symlinkSync(join('..data', 'ponto.yaml'), file)
    await start()
    expect(told).toEqual(['v1'])
    symlinkSync('v2', join(folder, '..next'))
    renameSync(join(folder, '..next'), join(folder, '..data'))
    await toldLast('v2')
  })

  test('a file that is deleted is an error, not "no deployments", and its return counts', async () => {
    writeFileSync(file, declare('one'))
    await start()
    rmSync(file)
    await toldLast('/ponto.yaml: the file does not exist; to declare no deployments write "deployments: []" into it')
    writeFileSync(file, declare('one'))
    await toldLast('one')
  })

  test('a file that is not there yet is followed when it appears, even in a folder that is not there yet', async () => {
    const later = join(folder, 'later', 'ponto.yaml')
    await start(later)
    expect(told).toEqual([
      '/later/ponto.yaml: the file does not exist; to declare no deployments write "deployments: []" into it',
    ])
    mkdirSync(join(folder, 'later'))
    writeFileSync(later, declare('one'))
    await toldLast('one')
  })

  test('many quick changes end with the last one', async () => {
    writeFileSync(file, declare('start'))
    await start()
    for (let i = 0; i < 50; i++) {
      writeFileSync(file, declare(`edit-${i}`))
      await new Promise((resolve) => setTimeout(resolve, i % 7))
    }
    await toldLast('edit-49')
    for (const text of told) expect(text).toMatch(/^(start|edit-\d+)$/)
  })

  test('what a handler throws is told as an error, and watching goes on', async () => {
    writeFileSync(file, declare('one'))
    const failures: string[] = []
    let isBroken = true
    let done: () => void = () => {}
    const finished = new Promise<void>((resolve) => {
      done = resolve
    })
    watching = await watchConfig(file, options, {
      onChange: () => {
        if (isBroken) throw new Error('cannot be applied')
        done()
      },
      onError: (failure) => failures.push(formatFailure(failure)),
    })
    expect(failures).toEqual([`${file}: cannot be applied`])
    isBroken = false
    writeFileSync(file, declare('two'))
    await finished
  })
})

describe('loadConfig', () => {
  async function problemOf(path: string): Promise<string> {
    const load = await loadConfig(path, options)
    return 'failure' in load ? formatFailure(load.failure) : 'valid'
  }

  test('a folder is no configuration file', async () => {
    expect(await problemOf(folder)).toBe(`${folder}: this is no regular file`)
  })

  test('text in another encoding is refused', async () => {
    writeFileSync(file, Buffer.from([0x23, 0xe4, 0x0a]))
    expect(await problemOf(file)).toBe(`${file}: the text is not UTF-8`)
  })

  test('a byte order mark is none of its text', async () => {
    writeFileSync(file, `\uFEFF${declare('one')}`)
    expect(await problemOf(file)).toBe('valid')
  })

  test('a file beyond 16 MiB is refused unread', async () => {
    writeFileSync(file, Buffer.alloc(16 * 1024 * 1024 + 1, '#'))
    expect(await problemOf(file)).toBe(`${file}: the file has 16777217 bytes, expected at most 16777216`)
  })
})
