import { spawn } from 'node:child_process'
import { join, resolve } from 'node:path'

/** `npm test`: types, lint, then every test. Ends with what failed, by name, and a line that counts; exit code 1 when anything failed. */

const root = resolve(import.meta.dir, '..')
const tool = (name: string) => join(root, 'node_modules', '.bin', name)

type Ended = { readonly code: number; readonly output: string }

function run(command: string, args: readonly string[]): Promise<Ended> {
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const show = (chunk: Buffer): void => {
    output += chunk
    process.stderr.write(chunk)
  }
  child.stdout.on('data', show)
  child.stderr.on('data', show)
  return new Promise((done) => child.once('close', (code) => done({ code: code ?? 1, output })))
}

function count(output: string, word: string): number {
  return Number(new RegExp(`^\\s*(\\d+) ${word}$`, 'm').exec(output)?.[1] ?? 0)
}

const only = process.argv.slice(2)
const broken: string[] = []
if (only.length === 0) {
  for (const [name, command, args] of [
    ['types', tool('tsc'), ['--noEmit']],
    ['lint and format', tool('biome'), ['ci', '--colors=off', '.']],
  ] as const) {
    process.stderr.write(`== ${name}\n`)
    if ((await run(command, args)).code !== 0) broken.push(name)
  }
}
process.stderr.write('== tests\n')
const tests = await run(process.execPath, [
  'test',
  '--timeout',
  '30000',
  ...(only.length > 0 ? only : ['src', 'bin', 'test']),
])
const failed = count(tests.output, 'fail')
// A runner that died without counting is a failure too.
const isUncounted = tests.code !== 0 && failed === 0
if (isUncounted) broken.push(`the test runner, with code ${tests.code}`)
const failures = failed + broken.length
const names = new Set(tests.output.match(/^\(fail\) .*$/gm)?.map((line) => line.slice(7)))
for (const name of [...broken, ...names]) process.stdout.write(`FAILED ${name}\n`)
process.stdout.write(
  `\n${count(tests.output, 'pass')} passed, ${failures} failed, ${count(tests.output, 'skip')} skipped\n`,
)
process.exitCode = failures > 0 ? 1 : 0
