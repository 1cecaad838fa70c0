import { afterAll, beforeAll, expect, test } from 'bun:test'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ProgramFixture, startProgram } from '../program.fixture.ts'

let program: ProgramFixture
beforeAll(async () => {
  program = await startProgram()
})
afterAll(() => program.stop())

/** What bash offers at the end of this line. */
async function complete(line: string): Promise<string[]> {
  const { out } = await program.run(['completion', 'bash'])
  const file = join(program.home, 'completion.bash')
  const words = line.split(' ')
  const setUp = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}`
  writeFileSync(file, `${out}\n${setUp}\n_ponto\nprintf '%s\\n' "\${COMPREPLY[@]}"\n`)
  const { stdout, stderr, status } = spawnSync('bash', [file], { encoding: 'utf8' })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return stdout.split('\n').filter(Boolean)
}

test('bash knows commands, flags and values', async () => {
  expect(await complete('ponto dep')).toEqual(['deployment'])
  expect(await complete('ponto deployment cr')).toEqual(['create'])
  expect(await complete('ponto deployment create gpt --sk')).toEqual(['--sku'])
  expect(await complete('ponto deployment create --sku GlobalS')).toEqual(['GlobalStandard'])
  expect(await complete('ponto usage b')).toEqual(['budgets'])
  expect(await complete('ponto ')).toContain('up')
})

test('the other shells get a script too, an unknown one is told which there are', async () => {
  expect((await program.run(['completion', 'fish'])).out).toContain(
    "complete -c ponto -f -n 'not __fish_seen_subcommand_from up",
  )
  expect((await program.run(['completion', 'zsh'])).out).toStartWith('autoload -U +X bashcompinit')
  const { code, err } = await program.run(['completion', 'tcsh'])
  expect(code).toBe(2)
  expect(err).toContain('allowed are bash, zsh, fish')
})
