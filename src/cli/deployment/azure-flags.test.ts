import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type ProgramFixture, startProgram } from '../program.fixture.ts'
import { rewriteAzureFlags } from './azure-flags.ts'

const of = (line: string) => rewriteAzureFlags(line.split(' ')).join(' ')

test.each([
  [
    'deployment create -n shop -g team --deployment-name chat --model-name gpt-4o --model-version 1 --model-format OpenAI --sku-name Standard --sku-capacity 10',
    'deployment create --resource shop --model gpt-4o --model-version 1 --model-format OpenAI --sku Standard --capacity 10 chat',
  ],
  ['deployment show --name shop --resource-group team --deployment-name chat', 'deployment show --resource shop chat'],
  ['deployment list -g team -n shop -o json', 'deployment list --resource shop -o json'],
  ['deployment delete --deployment-name=chat --name=shop', 'deployment delete --resource shop chat'],
  ['deployment create x --scale-type Manual --scale-capacity 3', 'deployment create x --sku Standard --capacity 3'],
  ['deployment create chat --model gpt-4o --sku Standard', 'deployment create chat --model gpt-4o --sku Standard'],
  ['deployment create -- --deployment-name x', 'deployment create -- --deployment-name x'],
  ['deployment show --deployment-name', 'deployment show --deployment-name'],
  ['deployment list -n', 'deployment list --resource'],
  ['deployment show constructor', 'deployment show constructor'],
])('%s', (given, wanted) => {
  expect(of(given)).toBe(wanted)
})

let program: ProgramFixture
beforeAll(async () => {
  program = await startProgram()
})
afterAll(() => program.stop())

const azure = [
  'deployment',
  'create',
  '-n',
  'shop',
  '-g',
  'team',
  '--deployment-name',
  'chat',
  '--model-name',
  'gpt-4o',
]

test('a command line of the vendor does what ours does', async () => {
  program.script(() => ({ status: 400, body: { error: { code: 'Seen', message: 'seen' } } }))
  await program.run([...azure, '--model-format', 'OpenAI', '--sku-name', 'GlobalStandard', '--sku-capacity', '10'])
  expect(program.seen.at(-1)).toMatchObject({
    method: 'PUT',
    path: '/management/resources/shop/deployments/chat',
    body: { model: { format: 'OpenAI', name: 'gpt-4o' }, sku: { name: 'GlobalStandard', capacity: 10 } },
  })
  await program.run(['deployment', 'delete', '--name', 'shop', '--deployment-name', 'chat'])
  expect(program.seen.at(-1)).toMatchObject({ method: 'DELETE', path: '/management/resources/shop/deployments/chat' })
})

test('a source is refused, and none of these flags are in the help', async () => {
  const refused = await program.run([...azure, '--model-source', '/subscriptions/x'])
  expect(refused.code).toBe(2)
  expect(refused.err).toContain('not from other resources')
  const { out } = await program.run(['deployment', 'create', '--help'])
  for (const flag of ['--deployment-name', '--sku-name', '--model-source', '--scale-type'])
    expect(out).not.toContain(flag)
})
