import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/**
 * The launcher in a checkout of its own: a copy of bin/, a fake npm on the path that lays down what the real one would, a Bun that
 * is the one running this test, and a program under src/main.ts that does what a test needs.
 */
const node = Bun.which('node') ?? 'node'
const isRoot = process.getuid?.() === 0

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ponto-launcher-'))
  cpSync(import.meta.dir, join(root, 'bin'), { recursive: true })
  mkdirSync(join(root, 'src'))
  mkdirSync(join(root, 'path'))
  symlinkSync(node, join(root, 'path', 'node'))
  write('package.json', JSON.stringify({ type: 'module', optionalDependencies: { '@oven/bun-plan9-mips': '1' } }))
  writeLockfile('1.0.0')
  write('src/main.ts', `console.log('ran', process.argv.slice(2).join(' '))`)
  fakeNpm('')
})
afterEach(() => {
  chmodSync(root, 0o755)
  rmSync(root, { recursive: true, force: true })
})

function write(path: string, text: string, mode = 0o644) {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text, { mode })
}
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const npmRuns = () => (existsSync(join(root, 'npm.log')) ? read('npm.log').trimEnd().split('\n') : [])

/** One package that runs, one only for development, and the binary of this platform, which may be absent. */
function writeLockfile(version: string) {
  const packages = {
    '': {},
    'node_modules/runtime': { version, integrity: 'sha512-a' },
    'node_modules/tool': { version, integrity: 'sha512-b', dev: true },
    'node_modules/@oven/bun-plan9-mips': { version, integrity: 'sha512-c', optional: true },
  }
  write('package-lock.json', JSON.stringify({ packages }))
}

/** Notes down how it was called, then does `script`, then what `npm ci` does. */
function fakeNpm(script: string, installed = 'copy') {
  const lines = [
    `import { appendFileSync, copyFileSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'`,
    `appendFileSync('npm.log', process.argv.slice(2).join(' ') + '\\n')`,
    script,
    `rmSync('node_modules', { recursive: true, force: true })`,
    `const libc = process.platform === 'linux' && !process.report.getReport().header.glibcVersionRuntime ? '-musl' : ''`,
    `const arch = process.arch === 'arm64' ? 'aarch64' : process.arch`,
    `const folder = 'node_modules/@oven/bun-' + process.platform + '-' + arch + libc + '/bin'`,
    `mkdirSync(folder, { recursive: true })`,
    `symlinkSync(${JSON.stringify(process.execPath)}, folder + '/bun')`,
    installed === 'copy' ? `copyFileSync('package-lock.json', 'node_modules/.package-lock.json')` : installed,
  ]
  write('path/fake-npm.mjs', lines.join('\n'))
  write('path/npm', `#!/bin/sh\nexec '${node}' '${join(root, 'path', 'fake-npm.mjs')}' "$@"\n`, 0o755)
}

function start(args: string[], env: Record<string, string> = {}) {
  const path = `${join(root, 'path')}:/usr/bin:/bin`
  const child = Bun.spawn([node, join(root, 'bin', 'ponto.mjs'), ...args], {
    cwd: tmpdir(),
    env: { PATH: path, HOME: root, ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const out = readLines(child.stdout)
  const err = readLines(child.stderr)
  return { child, out, err, end: async () => ({ code: await child.exited, out: await out.all, err: await err.all }) }
}
const launch = (args: string[], env: Record<string, string> = {}) => start(args, env).end()

/** Collects a stream and lets a test wait until it holds something. */
function readLines(stream: ReadableStream<Uint8Array>) {
  let text = ''
  let wake = () => {}
  const all = (async () => {
    const decoder = new TextDecoder()
    for await (const chunk of stream) {
      text += decoder.decode(chunk, { stream: true })
      wake()
    }
    return text
  })()
  const until = async (part: string | RegExp) => {
    while (!(typeof part === 'string' ? text.includes(part) : part.test(text)))
      await new Promise<void>((settle) => (wake = settle))
  }
  return { all, until }
}

describe('installing', () => {
  test('happens once, says so, and keeps npm silent', async () => {
    fakeNpm(`console.log('npm chatter')`)
    const first = await launch(['status', '-x'], { NODE_ENV: 'production' })
    expect(first).toMatchObject({ code: 0, out: 'ran status -x\n' })
    expect(first.err).toContain('Installing the dependencies (once)')
    expect(first.err).toContain('Installed the dependencies in ')
    expect(first.err).not.toContain('chatter')
    expect(npmRuns()).toEqual(['ci --ignore-scripts --include=dev --include=optional --no-audit --no-fund'])
    expect(await launch(['status'])).toEqual({ code: 0, out: 'ran status\n', err: '' })
    expect(npmRuns()).toHaveLength(1)
    expect(existsSync(join(root, '.ponto-installing'))).toBe(false)
  })

  test('happens again when the lockfile has changed', async () => {
    await launch([])
    writeLockfile('2.0.0')
    expect((await launch([])).code).toBe(0)
    expect(npmRuns()).toHaveLength(2)
  })

  test('a second launcher waits for the first and does not install', async () => {
    fakeNpm(`console.log('busy'); await new Promise((settle) => setTimeout(settle, 1500))`)
    const first = start(['one'])
    await first.err.until('Installing the dependencies')
    const second = start(['two'])
    await second.err.until('Waiting for another process that installs the dependencies')
    expect(await second.end()).toMatchObject({ code: 0, out: 'ran two\n' })
    expect(await first.end()).toMatchObject({ code: 0, out: 'ran one\n' })
    expect(npmRuns()).toHaveLength(1)
  })

  test('a lock whose process is gone is taken over', async () => {
    write('.ponto-installing/pid', String(2 ** 22 + 1))
    expect(await launch(['x'])).toMatchObject({ code: 0, out: 'ran x\n' })
  })

  test('what npm ci already did is not done again', async () => {
    await launch([])
    rmSync(join(root, 'node_modules', '.ponto-stamp'))
    expect(await launch(['x'])).toEqual({ code: 0, out: 'ran x\n', err: '' })
    expect(existsSync(join(root, 'node_modules', '.ponto-stamp'))).toBe(true)
    expect(npmRuns()).toHaveLength(1)
  })

  test('without dev dependencies the program runs, and only a script installs them', async () => {
    const withoutDev = `
      const { writeFileSync, readFileSync } = await import('node:fs')
      const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'))
      delete packages['node_modules/tool']
      writeFileSync('node_modules/.package-lock.json', JSON.stringify({ packages }))`
    fakeNpm('', withoutDev)
    await launch([])
    rmSync(join(root, 'node_modules', '.ponto-stamp'))
    expect(await launch(['x'])).toEqual({ code: 0, out: 'ran x\n', err: '' })
    expect(npmRuns()).toHaveLength(1)
    fakeNpm('')
    write('script.ts', `console.log('script', process.argv.slice(2).join(' '))`)
    expect(await launch(['--run-script', join(root, 'script.ts'), 'a', '--b'])).toMatchObject({
      code: 0,
      out: 'script a --b\n',
    })
    expect(npmRuns()).toHaveLength(2)
  })

  test('a failure shows what npm said, leaves no stamp, and the next start tries again', async () => {
    fakeNpm(`console.log('line on stdout'); console.error('npm error code E404'); process.exit(7)`)
    const failed = await launch(['up'])
    expect(failed).toMatchObject({ code: 78, out: '' })
    expect(failed.err).toContain('npm could not install the dependencies (exit code 7)')
    expect(failed.err).toContain('  npm error code E404')
    fakeNpm('')
    expect(await launch(['x'])).toMatchObject({ code: 0, out: 'ran x\n' })
  })

  test('Ctrl-C ends npm and leaves no lock', async () => {
    fakeNpm(`process.on('SIGINT', () => process.exit(130)); setInterval(() => {}, 1000); await new Promise(() => {})`)
    const launched = start([])
    await launched.err.until('Installing')
    while (npmRuns().length === 0) await Bun.sleep(5)
    launched.child.kill('SIGINT')
    const ended = await launched.end()
    expect(ended.code).toBe(130)
    expect(ended.err).toContain('The installation was stopped (SIGINT)')
    expect(existsSync(join(root, '.ponto-installing'))).toBe(false)
  })

  test('no npm at all is said', async () => {
    rmSync(join(root, 'path', 'npm'))
    const env = { PATH: join(root, 'path') }
    expect((await launch([], env)).err).toContain('npm cannot be started')
  })

  test.skipIf(isRoot)('a read-only checkout runs when the dependencies are there, else says what to do', async () => {
    await launch([])
    rmSync(join(root, 'node_modules', '.ponto-stamp'))
    for (const path of ['node_modules', '.']) chmodSync(join(root, path), 0o555)
    expect(await launch(['x'])).toEqual({ code: 0, out: 'ran x\n', err: '' })
    for (const path of ['.', 'node_modules']) chmodSync(join(root, path), 0o755)
    rmSync(join(root, 'node_modules'), { recursive: true })
    chmodSync(root, 0o555)
    expect((await launch(['x'])).err).toContain(`npm ci --ignore-scripts --prefix '${root}'`)
  })
})

describe('the Bun binary', () => {
  test('may be another one', async () => {
    await launch([])
    write('my-bun', `#!/bin/sh\necho mine "$2"\n`, 0o755)
    expect(await launch(['x'], { PONTO_BUN: join(root, 'my-bun') })).toMatchObject({ code: 0, out: 'mine x\n' })
    expect((await launch(['x'], { PONTO_BUN: '/no/such' })).err).toContain(
      'PONTO_BUN names /no/such, which does not exist',
    )
  })

  test('is made executable', async () => {
    await launch([])
    write('my-bun', `#!/bin/sh\necho mine "$2"\n`, 0o644)
    expect((await launch(['x'], { PONTO_BUN: join(root, 'my-bun') })).out).toBe('mine x\n')
    expect(statSync(join(root, 'my-bun')).mode & 0o111).toBe(0o111)
  })

  test('missing for this platform names those that have one', async () => {
    fakeNpm(
      '',
      `rmSync('node_modules/@oven', { recursive: true }); copyFileSync('package-lock.json', 'node_modules/.package-lock.json')`,
    )
    const ran = await launch(['x'])
    expect(ran.code).toBe(78)
    expect(ran.err).toMatch(/There is no Bun binary for \S+\. Supported: plan9-mips\.\n.*PONTO_BUN=/)
  })
})

describe('running', () => {
  beforeEach(async () => {
    await launch([])
  })

  test.each([0, 1, 2, 78, 99])('a command ends with its own code %d, and is not started again', async (code) => {
    write('src/main.ts', `console.log('ran'); process.exit(${code})`)
    expect(await launch(['deployment', 'list', 'up'])).toEqual({ code, out: 'ran\n', err: '' })
  })

  test('input and output go straight through', async () => {
    write('src/main.ts', `process.stdout.write((await Bun.stdin.text()).toUpperCase())`)
    const child = Bun.spawn([node, join(root, 'bin', 'ponto.mjs')], { stdin: Buffer.from('abc'), stdout: 'pipe' })
    expect(await new Response(child.stdout).text()).toBe('ABC')
  })

  const waiting = `
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => { console.log('got', signal); process.exit(5) })
    setInterval(() => {}, 1000)
    console.log('waiting')`

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s is passed on, and the server may end as it likes',
    async (signal) => {
      write('src/main.ts', waiting)
      const launched = start(['up'])
      await launched.out.until('waiting')
      launched.child.kill(signal)
      expect(await launched.end()).toEqual({ code: 5, out: `waiting\ngot ${signal}\n`, err: '' })
    },
  )

  test('help of up is not supervised', async () => {
    write('src/main.ts', `console.log('help'); process.exit(1)`)
    expect(await launch(['up', '--help'])).toMatchObject({ code: 1, out: 'help\n' })
  })
})

describe('supervising', () => {
  /** Ends in the next of the given ways at each start. */
  function endLike(...ends: string[]) {
    write(
      'src/main.ts',
      `
      import { appendFileSync, readFileSync } from 'node:fs'
      appendFileSync(${JSON.stringify(join(root, 'starts'))}, Date.now() + '\\n')
      const count = readFileSync(${JSON.stringify(join(root, 'starts'))}, 'utf8').trimEnd().split('\\n').length
      const ends = [${ends.map((end) => `() => { ${end} }`).join(', ')}]
      ends[Math.min(count, ends.length) - 1]()
      setInterval(() => {}, 1000)`,
    )
  }
  const starts = () => read('starts').trimEnd().split('\n').map(Number)
  const crash = (signal: string) => `process.kill(process.pid, '${signal}')`

  beforeEach(async () => {
    await launch([])
  })

  test('a crash starts the server again within a second, a second one later', async () => {
    endLike(crash('SIGSEGV'), 'process.exit(1)', 'process.exit(75)', 'process.exit(0)')
    const ran = await launch(['--data', 'somewhere', 'up'])
    expect(ran.code).toBe(0)
    expect(ran.err).toBe(
      'ponto: the server ended unexpectedly (signal SIGSEGV); starting it again in 0.25 s. Stop it with Ctrl-C.\n' +
        'ponto: the server ended unexpectedly (exit code 1); starting it again in 0.5 s. Stop it with Ctrl-C.\n' +
        'ponto: the server could not start yet; starting it again in 1 s. Stop it with Ctrl-C.\n',
    )
    const [first = 0, second = 0, third = 0] = starts()
    expect(second - first).toBeGreaterThanOrEqual(250)
    expect(third - second).toBeGreaterThanOrEqual(500)
  })

  test.each([2, 78])('code %d is final', async (code) => {
    endLike(`process.exit(${code})`)
    expect(await launch(['up'])).toEqual({ code, out: '', err: '' })
    expect(starts()).toHaveLength(1)
  })

  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ])('a server stopped by %s stays stopped', async (signal, code) => {
    endLike(crash(signal))
    expect(await launch(['up'])).toEqual({ code, out: '', err: '' })
    expect(starts()).toHaveLength(1)
  })

  test('a server that is killed comes back', async () => {
    endLike(crash('SIGKILL'), 'process.exit(0)')
    expect((await launch(['up'])).code).toBe(0)
    expect(starts()).toHaveLength(2)
  })

  test('a signal while waiting ends it', async () => {
    endLike(crash('SIGKILL'), crash('SIGKILL'), crash('SIGKILL'), crash('SIGKILL'), 'process.exit(0)')
    const launched = start(['up'])
    await launched.err.until('again in 1 s')
    launched.child.kill('SIGTERM')
    expect((await launched.end()).code).toBe(143)
    expect(starts()).toHaveLength(3)
  })
})
