import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { deploymentSpecSchema } from '../../snapshot/deployment-spec.ts'
import { policySchema } from '../../snapshot/filter/policy-spec.ts'
import type { ExportView, ImportView } from '../api.ts'
import { type ControlFixture, planted, startControl } from '../control.fixture.ts'

/** One of everything, with every field there is. What names another stands before it. */
const everything = {
  quota: [{ model: 'gpt-4o', sku: 'GlobalStandard', limit: 90 }],
  raiBlocklists: [
    {
      name: 'names',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: signs that other formats would read as more than a text.
      description: "[concat('x')] ${x}",
      tags: { owner: 'ana' },
      items: [
        { name: 'a', pattern: "[o'brien]" },
        { name: 'b', pattern: 'x+', isRegex: true },
      ],
    },
    { name: 'empty' },
  ],
  raiTopics: [{ name: 'investing', description: 'advice on stocks', examples: ['Should I buy shares?'] }],
  filterEngines: [
    { name: 'guard', kind: 'guard', deployment: 'guard-model', profile: 'qwen3guard' },
    {
      name: 'std',
      kind: 'azure-content-safety',
      url: 'https://cs.example',
      credential: { env: 'PONTO_SECRET_SET' },
      deadlineMs: { prompt: 900, window: 300 },
      maxChars: 5_000,
    },
  ],
  raiPolicies: [
    {
      name: 'Strict',
      description: 'a strict one',
      tags: { a: '[b]' },
      basePolicyName: 'Microsoft.DefaultV2',
      mode: 'Asynchronous_filter',
      contentFilters: [
        {
          name: 'Violence',
          source: 'Prompt',
          severityThreshold: 'Low',
          blocking: true,
          engines: ['guard', 'std'],
          combine: 'max',
          onError: 'closed',
        },
        { name: 'Jailbreak', source: 'Prompt', blocking: false },
        { name: 'Indirect Attack', source: 'Prompt', enabled: false },
      ],
      customBlocklists: [{ blocklistName: 'names', source: 'Prompt', blocking: true }],
      customTopics: [{ topicName: 'investing', source: 'Prompt', blocking: false }],
      scope: { messages: 'all', toolResults: true, exemptSystem: false },
      promptCheck: 'first',
      spotlighting: true,
      strictAzureChunks: true,
      selectable: false,
      protectedTexts: [{ name: 'song', text: 'la '.repeat(50) }],
      protectedCode: [{ name: 'code', text: 'let x = 1; '.repeat(20), license: 'MIT', url: 'https://code.example/x' }],
    },
    { name: 'Lax', basePolicyName: 'Microsoft.Default' },
  ],
  deploymentPolicies: [
    { name: 'owners', effect: 'audit', allow: { tags: { owner: ['*'] } } },
    { name: 'small', effect: 'deny', when: { sku: ['Standard'] }, allow: { capacity: { max: 9 } } },
  ],
  deployments: [
    {
      name: 'a-provisioned',
      model: { format: 'OpenAI', name: 'gpt-4o', version: '2024-11-20' },
      sku: { name: 'ProvisionedManaged', capacity: 50 },
      spilloverDeploymentName: 'std',
      concurrency: 7,
      backends: [
        {
          url: 'https://p.openai.azure.com',
          protocol: 'azure-openai',
          apiVersion: '2024-10-21',
          auth: 'api-key',
          credential: { env: 'PONTO_SECRET_SET' },
          model: '[gpt]-{version}',
          streamUsage: false,
          nativeBatch: true,
          chatApis: ['responses', 'chat-completions'],
          labels: ['eu'],
          maxConcurrency: 9,
          priority: 2,
          weight: 5,
          timeouts: { connectMs: 100 },
        },
      ],
    },
    { name: 'guard-model', model: { name: 'qwen3guard' }, backends: [{ url: 'https://g.example/v1' }] },
    {
      name: 'std',
      model: { name: 'gpt-4o', version: '2024-11-20', type: 'chat' },
      sku: { name: 'GlobalStandard', capacity: 3 },
      rateLimits: [{ key: 'request', renewalPeriod: 10, count: 5 }],
      tokenAccounting: 'estimate',
      versionUpgradeOption: 'NoAutoUpgrade',
      dynamicThrottlingEnabled: true,
      serviceTier: 'Priority',
      deploymentState: 'Paused',
      raiPolicyName: 'Strict',
      price: { inputPerMillion: 0.5, cachedInputPerMillion: 0.1, outputPerMillion: 1.25, perRequest: 0.001 },
      capture: { prompts: true, answers: true, redact: true, retentionDays: 3 },
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the same.
      tags: { "o'brien": 'a${b}', '[x]': '[y]' },
      backends: [{ url: 'https://s.example/v1', credential: { env: 'PONTO_SECRET_SET' } }],
    },
    { name: 'constructor', model: { name: 'llama' }, backends: [{ url: 'https://s.example/v1' }] },
  ],
}
const names = Object.values(everything).flatMap((list) =>
  list.map((one) => ('name' in one ? one.name : 'GlobalStandard.gpt-4o')),
)

async function send(control: ControlFixture, text: string, query = ''): Promise<ImportView> {
  return (await control.send('POST', `/import${query}`, { body: { text } })).json<ImportView>()
}

async function write(control: ControlFixture, format: string): Promise<ExportView> {
  return (await control.send('GET', `/export?format=${format}`)).json<ExportView>()
}

const resultsOf = ({ value }: ImportView, result: string) =>
  value.filter((one) => one.result === result).map(({ name }) => name)

describe('everything there is', () => {
  let control: ControlFixture
  let first: ImportView
  beforeAll(async () => {
    control = await startControl()
    expect(resultsOf(await send(control, JSON.stringify(everything), '?dryRun=true'), 'created')).toHaveLength(
      names.length,
    )
    first = await send(control, JSON.stringify(everything))
  })
  afterAll(() => control.stop())

  test('is named here: a field that is new has to be brought over too', () => {
    const fieldsOf = (list: readonly object[]) => [...new Set(list.flatMap((one) => Object.keys(one)))].sort()
    expect(fieldsOf(everything.deployments)).toEqual(Object.keys(deploymentSpecSchema.shape).sort())
    const { promptBlocklists, completionBlocklists, ...fields } = policySchema.shape
    expect(fieldsOf(everything.raiPolicies)).toEqual(Object.keys(fields).sort())
    const backend = deploymentSpecSchema.shape.backends.unwrap().element.shape
    expect(fieldsOf(everything.deployments.flatMap(({ backends }) => backends))).toEqual(Object.keys(backend).sort())
  })

  test('is made in one go, in whatever order one names the other, and nothing is changed by the same again', async () => {
    expect(resultsOf(first, 'created').sort()).toEqual([...names].sort())
    const again = await send(control, JSON.stringify(everything))
    expect(resultsOf(again, 'unchanged')).toHaveLength(names.length)
  })

  for (const format of ['yaml', 'arm']) {
    test(`comes out as ${format} and is the same elsewhere, also after it was written out there`, async () => {
      const { text, notes } = await write(control, format)
      expect(notes).toEqual([])
      expect(resultsOf(await send(control, text), 'unchanged')).toHaveLength(names.length)
      const other = await startControl()
      try {
        expect(resultsOf(await send(other, text), 'created')).toHaveLength(names.length)
        for (const one of ['yaml', 'arm']) expect((await write(other, one)).text).toBe((await write(control, one)).text)
      } finally {
        await other.stop()
      }
    })
  }

  test('no two secrets get the same variable, and none that is taken', async () => {
    const other = await startControl()
    const withSecret = (value: string) => [{ url: 'https://a.example/v1', credential: { value } }]
    try {
      const credential = { value: `${planted}-1` }
      await other.send('PUT', '/filter-engines/a.b', {
        body: { kind: 'azure-content-safety', url: 'https://cs.example', credential },
      })
      for (const name of ['a.b', 'a-b']) {
        await other.send('PUT', `/deployments/${name}`, {
          body: { model: { name: 'm' }, backends: withSecret(`${planted}-${name}`) },
        })
      }
      await other.send('PUT', '/deployments/set', { body: { model: { name: 'm' }, backends: withSecret(planted) } })
      await other.send('PUT', '/deployments/taken', {
        body: {
          model: { name: 'm' },
          backends: [{ url: 'https://a.example', credential: { env: 'PONTO_SECRET_SET' } }],
        },
      })
      const { text } = await write(other, 'yaml')
      const variables = [...text.matchAll(/env: (\S+)/g)].map(([, name]) => name)
      expect(variables).toEqual([
        'PONTO_SECRET_A_B',
        'PONTO_SECRET_A_B_2',
        'PONTO_SECRET_A_B_3',
        'PONTO_SECRET_SET_2',
        'PONTO_SECRET_SET',
      ])
      for (const format of ['yaml', 'arm', 'bicep', 'terraform'])
        expect((await write(other, format)).text).not.toContain(planted)
    } finally {
      await other.stop()
    }
  })
})
