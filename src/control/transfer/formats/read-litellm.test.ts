import { expect, test } from 'bun:test'
import type { JsonObject } from '../../../core/json.ts'
import { readLitellm } from './read-litellm.ts'

function read(entries: readonly JsonObject[], more: JsonObject = {}) {
  const { items, notes } = readLitellm({ model_list: [...entries], ...more })
  return {
    deployments: items.map(({ name, makeDocument }): JsonObject => ({ name, ...makeDocument(undefined) })),
    notes,
  }
}

const entry = (params: JsonObject, more: JsonObject = {}): JsonObject => ({
  model_name: 'chat',
  litellm_params: { model: 'azure/my-chat', api_base: 'https://a.openai.azure.com/', ...params },
  ...more,
})

test('what an Azure deployment serves is in base_model; prices are of a million tokens', () => {
  const info = {
    base_model: 'azure/gpt-4o',
    mode: 'chat',
    input_cost_per_token: 0.0000025,
    output_cost_per_token: 1e-5,
  }
  expect(read([entry({}, { model_info: info })]).deployments).toEqual([
    {
      name: 'chat',
      model: { name: 'gpt-4o', format: 'OpenAI', type: 'chat' },
      price: { inputPerMillion: 2.5, outputPerMillion: 10 },
      backends: [{ url: 'https://a.openai.azure.com', protocol: 'azure-openai', model: 'my-chat' }],
    },
  ])
})

test('addresses and versions in variables: the file itself may have their values, else they are told', () => {
  const params = { api_base: 'os.environ/BASE', api_version: 'os.environ/VERSION', api_key: 'os.environ/KEY' }
  const variables = { BASE: 'https://b.openai.azure.com', VERSION: '2024-10-21', KEY: 'sk-in-the-file' }
  const { deployments, notes } = read([entry(params)], { environment_variables: variables })
  expect(deployments[0]).toMatchObject({
    backends: [
      { url: 'https://b.openai.azure.com', apiVersion: '2024-10-21', credential: { env: 'PONTO_SECRET_KEY' } },
    ],
  })
  expect(JSON.stringify([deployments, notes])).not.toContain('sk-in-the-file')
  expect(read([entry(params)]).notes).toEqual([
    'model_list[0] "chat" is left out: its api_base is in a variable; write the address into the file',
  ])
  expect(read([entry({ api_version: 'os.environ/VERSION' })]).notes[0]).toContain('api_version (it is in a variable)')
})

test('limits stand in either place and are added up; one entry without leaves the whole without', () => {
  const limitsOf = (...entries: JsonObject[]) => read(entries).deployments[0]?.rateLimits
  const limit = (key: string, count: number) => ({ key, renewalPeriod: 60, count })
  expect(limitsOf(entry({ rpm: 5 }), entry({}, { rpm: 7 }))).toEqual([limit('request', 12)])
  expect(limitsOf(entry({ rpm: 5, tpm: '900' }), entry({ tpm: 100 }))).toEqual([limit('token', 1000)])
  expect(limitsOf(entry({}), entry({ rpm: 7 }))).toBeUndefined()
})

test('the provider may stand beside the model; weights that cannot be are told, and so is every other section', () => {
  const { deployments, notes } = read(
    [
      entry({
        model: 'llama/7b',
        custom_llm_provider: 'hosted_vllm',
        weight: 0.5,
        api_base: 'http://10.0.0.5:8000/v1',
      }),
    ],
    { router_settings: {}, litellm_settings: {} },
  )
  expect(deployments[0]?.backends).toEqual([{ url: 'http://10.0.0.5:8000/v1', protocol: 'openai', model: 'llama/7b' }])
  expect(notes[0]).toBe('model_list[0] "chat": weight (it is no whole number from 1 on): not taken over')
  expect(notes).toHaveLength(3)
})

test('names that every object has are no providers', () => {
  expect(read([entry({ model: 'constructor/x' }), entry({ model: '__proto__/x' })]).deployments).toEqual([])
})
