import { afterAll, beforeAll, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ProgramFixture, startProgram } from '../program.fixture.ts'
import { makeTopic } from './views.fixture.ts'

let program: ProgramFixture
const topic = (...args: string[]) => program.run(['filter', 'topic', ...args])

beforeAll(async () => {
  program = await startProgram()
})
afterAll(() => program.stop())

test('topics are listed, shown, made and deleted', async () => {
  program.script(() => ({ status: 200, body: { value: [makeTopic()] } }))
  expect((await topic('list')).out.split('\n')[1]).toBe('tax   1                   API or CLI   Advice on taxes')
  program.script(() => ({ status: 200, body: makeTopic({ examples: [] }) }))
  expect((await topic('show', 'tax')).out).toContain('none: the built-in engine finds nothing of it')
  await topic('create', 'tax', '--description', 'Advice', '--example', 'a', '--example', 'b')
  expect(program.seen.at(-1)).toMatchObject({ method: 'PUT', path: '/management/rai-topics/tax' })
  expect(program.seen.at(-1)?.body).toEqual({ description: 'Advice', examples: ['a', 'b'] })
  const file = join(program.home, 'topic.yaml')
  writeFileSync(file, 'name: tax\ndescription: Advice\n')
  await topic('create', '--file', file)
  expect(program.seen.at(-1)?.body).toEqual({ description: 'Advice' })
  program.script(() => ({ status: 204 }))
  expect((await topic('delete', 'tax')).out).toBe('Deleted tax.\n')
})

test.each([
  [['create', '--description', 'x'], 'a name is missing'],
  [['create', 'x'], '--description is missing'],
  [['create', 'x', '--file', 'f', '--example', 'e'], '--file says everything'],
])('%p is wrong usage', async (args, message) => {
  program.script(() => ({ status: 500 }))
  const { code, err } = await topic(...args)
  expect([code, err.includes(message)]).toEqual([2, true])
  expect(program.seen).toEqual([])
})
