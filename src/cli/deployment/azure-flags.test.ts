import { expect, test } from 'bun:test'
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
])('%s', (given, wanted) => {
  expect(of(given)).toBe(wanted)
})
