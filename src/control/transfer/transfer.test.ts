import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { DeploymentView, ErrorBody, ExportView, ImportView } from '../api.ts'
import { type ControlFixture, credential, planted, startControl } from '../control.fixture.ts'

/** As `az cognitiveservices account deployment list -o json` prints it. */
const azList = [
  {
    etag: '"3f0c0e3a-0d5b-4a52-8d4c-0b7f3a1a8e11"',
    id: '/subscriptions/0/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/contoso/deployments/gpt-4o',
    name: 'gpt-4o',
    properties: {
      callRateLimit: null,
      capabilities: { chatCompletion: 'true', maxContextToken: '128000' },
      currentCapacity: 80,
      dynamicThrottlingEnabled: null,
      model: {
        callRateLimit: null,
        format: 'OpenAI',
        name: 'gpt-4o',
        publisher: null,
        source: null,
        version: '2024-11-20',
      },
      provisioningState: 'Succeeded',
      raiPolicyName: 'Microsoft.DefaultV2',
      rateLimits: [{ count: 80, dynamicThrottlingEnabled: null, key: 'request', renewalPeriod: 10 }],
      scaleSettings: null,
      versionUpgradeOption: 'OnceNewDefaultVersionAvailable',
    },
    resourceGroup: 'rg',
    sku: { capacity: 80, family: null, name: 'GlobalStandard', size: null, tier: null },
    systemData: { createdBy: 'ana@contoso.com' },
    tags: { team: 'research' },
    type: 'Microsoft.CognitiveServices/accounts/deployments',
  },
  {
    name: 'Mistral-large',
    properties: {
      model: { format: 'Mistral AI', name: 'Mistral-Large-2411', version: '2' },
      raiPolicyName: 'Microsoft.Default',
      capacitySettings: { designatedCapacity: 1, priority: 2 },
    },
    sku: { capacity: 1, name: 'GlobalStandard' },
    type: 'Microsoft.CognitiveServices/accounts/deployments',
  },
]
const backends = [{ url: 'https://contoso.openai.azure.com', protocol: 'azure-openai', credential: { value: planted } }]

describe('import and export', () => {
  let control: ControlFixture
  beforeEach(async () => {
    control = await startControl()
  })
  afterEach(() => control.stop())

  const put = async (text: unknown, options: object = {}, query = '') => {
    const body = { text: typeof text === 'string' ? text : JSON.stringify(text), ...options }
    return (await control.send('POST', `/import${query}`, { body })).json<ImportView>()
  }
  const resultsOf = ({ value }: ImportView) => value.map(({ name, result }) => `${name} ${result}`)
  const list = async () => (await control.send('GET', '/deployments')).json<{ value: DeploymentView[] }>().value
  const write = async (format: string) => (await control.send('GET', `/export?format=${format}`)).json<ExportView>()
  /** Without what every write changes. */
  const lasting = (views: readonly DeploymentView[]) => views.map(({ etag, createdAt, updatedAt, ...view }) => view)

  test('a list of the az CLI comes over, with where it runs; what it cannot say stays, and what means nothing here is told', async () => {
    const view = await put(azList, { backends })
    expect(resultsOf(view)).toEqual(['gpt-4o created', 'Mistral-large created'])
    expect(view.notes).toEqual(['Mistral-large: properties.capacitySettings: not taken over, nothing here acts on it'])
    const [gpt, mistral] = await list()
    expect(gpt).toMatchObject({
      name: 'gpt-4o',
      model: { format: 'OpenAI', name: 'gpt-4o', version: '2024-11-20' },
      sku: { name: 'GlobalStandard', capacity: 80 },
      raiPolicyName: 'Microsoft.DefaultV2',
      versionUpgradeOption: 'OnceNewDefaultVersionAvailable',
      tags: { team: 'research' },
      backends: [{ url: 'https://contoso.openai.azure.com', model: 'gpt-4o', credential: { stored: true } }],
    })
    expect(mistral?.backends?.[0]?.model).toBe('Mistral-large')
    expect(resultsOf(await put(azList))).toEqual(['gpt-4o unchanged', 'Mistral-large unchanged'])
  })

  for (const format of ['arm', 'yaml']) {
    test(`az list -> export --${format} -> import elsewhere -> the same; again: nothing changes`, async () => {
      await put(azList, { backends: [{ url: 'https://contoso.openai.azure.com', protocol: 'azure-openai' }] })
      await control.send('PUT', '/deployments/own', {
        body: {
          model: { name: 'llama', type: 'chat' },
          rateLimits: [{ key: 'request', renewalPeriod: 10, count: 5 }],
          price: { inputPerMillion: 0.5 },
          backends: [{ url: 'https://a.example/v1', weight: 3, credential: { env: 'PONTO_SECRET_SET' } }],
        },
      })
      const { text } = await write(format)
      const before = lasting(await list())
      expect(resultsOf(await put(text))).toEqual(['gpt-4o unchanged', 'Mistral-large unchanged', 'own unchanged'])
      const other = await startControl()
      try {
        const sent = await other.send('POST', '/import', { body: { text } })
        expect(resultsOf(sent.json<ImportView>())).toEqual(['gpt-4o created', 'Mistral-large created', 'own created'])
        const there = (await other.send('GET', '/deployments')).json<{ value: DeploymentView[] }>().value
        expect(lasting(there)).toEqual(before)
        expect((await other.send('GET', `/export?format=${format}`)).json<ExportView>().text).toBe(text)
      } finally {
        await other.stop()
      }
    })
  }

  test('policies and blocklists come in the order in which they can be made, and a trial makes none of it', async () => {
    await control.send('PUT', '/rai-blocklists/names', {
      body: {
        description: 'names',
        items: [
          { name: 'a', pattern: "[o'brien]" },
          { name: 'b', pattern: 'x+', isRegex: true },
        ],
      },
    })
    const customBlocklists = [{ blocklistName: 'names', blocking: true, source: 'Prompt' }]
    await control.send('PUT', '/rai-policies/Strict', {
      body: { basePolicyName: 'Microsoft.DefaultV2', customBlocklists },
    })
    await control.send('PUT', '/rai-policies/After', { body: { basePolicyName: 'Microsoft.Default' } })
    await control.send('PUT', '/deployment-policies/small', {
      body: { effect: 'audit', allow: { capacity: { max: 9 } } },
    })
    await control.send('PUT', '/deployments/chat', {
      body: { model: { name: 'builtin-nano' }, raiPolicyName: 'Strict' },
    })
    for (const format of ['arm', 'yaml']) {
      const { text, notes } = await write(format)
      expect(notes).toEqual([])
      const other = await startControl()
      try {
        const names = ['names', 'After', 'Strict', 'small', 'chat']
        const made = names.map((name) => `${name} created`)
        const trial = await other.send('POST', '/import?dryRun=true', { body: { text } })
        expect(resultsOf(trial.json<ImportView>())).toEqual(made)
        expect((await other.send('GET', '/deployments')).json<{ value: unknown[] }>().value).toEqual([])
        expect(resultsOf((await other.send('POST', '/import', { body: { text } })).json<ImportView>())).toEqual(made)
        const items = (await other.send('GET', '/rai-blocklists/names/items')).json<{ value: object[] }>().value
        expect(items).toMatchObject([
          { name: 'a', pattern: "[o'brien]" },
          { name: 'b', pattern: 'x+', isRegex: true },
        ])
        const again = (await other.send('POST', '/import', { body: { text } })).json<ImportView>()
        expect(resultsOf(again)).toEqual(names.map((name) => `${name} unchanged`))
      } finally {
        await other.stop()
      }
    }
  })

  test('what is there is left alone unless it is to be replaced; what fails is told and stops nothing else', async () => {
    await put(azList, { backends: [{ url: 'https://a.example' }] })
    const bigger = [
      { ...azList[0], sku: { name: 'GlobalStandard', capacity: 90 } },
      { ...azList[1], name: 'x' },
      azList[1],
    ]
    const kept = await put(bigger)
    expect(resultsOf(kept)).toEqual(['gpt-4o kept', 'x failed', 'Mistral-large unchanged'])
    expect(kept.value[1]?.error).toMatchObject({ code: 'InvalidRequest', target: 'name' } satisfies Partial<
      ErrorBody['error']
    >)
    expect(resultsOf(await put(bigger, { existing: 'replace' }))[0]).toBe('gpt-4o replaced')
    const [gpt] = await list()
    expect([gpt?.sku?.capacity, gpt?.backends?.[0]?.url]).toEqual([90, 'https://a.example'])
  })

  test('a LiteLLM configuration: entries of one name share the calls; keys, limits and weights come over', async () => {
    const view = await put(`
model_list:
  - model_name: gpt-4o
    litellm_params: { model: azure/my-gpt, api_base: "https://a.openai.azure.com/", api_key: os.environ/SET, api_version: 2024-10-21, rpm: 60, weight: 2 }
  - model_name: GPT-4o
    litellm_params: { model: openai/gpt-4o, api_key: "${planted}", rpm: 40, tpm: 1000 }
  - model_name: local
    litellm_params: { model: ollama/llama3.2, api_base: "http://10.0.0.5:11434" }
    model_info: { mode: embedding }
  - { model_name: "*", litellm_params: { model: "openai/*" } }
  - { model_name: other, litellm_params: { model: someone/m } }
  - 5
router_settings: { routing_strategy: latency }
`)
    expect(resultsOf(view)).toEqual(['gpt-4o created', 'local created'])
    expect(view.notes.join('\n')).toMatch(
      /PONTO_SECRET_SET[\s\S]*"\*"[\s\S]*"someone"[\s\S]*model_list\[5\][\s\S]*router_settings/,
    )
    const [gpt, local] = await list()
    expect(gpt).toMatchObject({
      model: { name: 'my-gpt', format: 'OpenAI' },
      rateLimits: [
        // The first entry has no limit of tokens, and so the whole has none.
        { key: 'request', renewalPeriod: 60, count: 100 },
      ],
      backends: [
        {
          url: 'https://a.openai.azure.com',
          protocol: 'azure-openai',
          model: 'my-gpt',
          weight: 2,
          credential: { env: 'PONTO_SECRET_SET' },
        },
        { url: 'https://api.openai.com/v1', protocol: 'openai', model: 'gpt-4o', credential: { stored: true } },
      ],
    })
    expect(local).toMatchObject({ model: { type: 'embeddings' }, backends: [{ url: 'http://10.0.0.5:11434/v1' }] })
  })

  test('templates: parameters, variables, nested and symbolic resources, conditions; what cannot be worked out is told', async () => {
    const child = (name: string, more: object = {}) => ({
      type: 'Microsoft.CognitiveServices/accounts/deployments',
      apiVersion: '2024-10-01',
      name,
      sku: { name: 'GlobalStandard', capacity: "[parameters('capacity')]" },
      properties: { model: { format: 'OpenAI', name: "[variables('models')[0].name]", version: '2024-11-20' } },
      ...more,
    })
    const template = {
      $schema: 'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#',
      parameters: { account: { type: 'string' }, capacity: { type: 'int', defaultValue: 5 } },
      variables: { models: [{ name: "[concat('gpt', '-4o')]" }] },
      resources: {
        one: child("[format('{0}/{1}', parameters('account'), 'one')]"),
        off: child('a/off', { condition: false }),
        late: child("[concat(reference('x').name, '/late')]"),
        whole: {
          type: 'Microsoft.CognitiveServices/accounts',
          name: 'a',
          resources: [child('inner', { type: 'deployments' })],
        },
      },
    }
    const view = await put(template, {
      parameters: { account: { value: 'contoso' } },
      backends: [{ url: 'https://a.example/v1' }],
    })
    expect(resultsOf(view)).toEqual(['one created', 'inner created'])
    expect(view.notes.join('\n')).toMatch(/late[\s\S]*"reference" is not known/)
    expect((await list()).map(({ model, sku }) => [model.name, sku?.capacity])).toEqual([
      ['gpt-4o', 5],
      ['gpt-4o', 5],
    ])
  })

  test('texts of no known format, and hostile ones, are refused; nothing of them is repeated', async () => {
    const loop = {
      $schema: 's',
      resources: [{ type: 'Microsoft.CognitiveServices/accounts/deployments', name: "[variables('x')]" }],
      variables: { x: "[variables('x')]" },
    }
    expect((await put(loop)).notes[0]).toContain('refers to itself')
    for (const text of [
      'hello',
      '[]',
      '{}',
      'a: [',
      `{"secret":"${planted}"`,
      '&a [*a]',
      'x: !!js/function x',
      '- 1',
    ]) {
      const sent = await control.send('POST', '/import', { body: { text } })
      expect([text, sent.status]).toEqual([text, 400])
      expect(sent.text).not.toContain(planted)
    }
  })

  test('no secret is in an export, in an answer about an import, or in the audit log', async () => {
    await put(azList, { backends })
    const texts = await Promise.all(['yaml', 'arm', 'bicep', 'terraform'].map(write))
    const audit = (await control.send('GET', '/audit')).text
    for (const text of [...texts.map((one) => JSON.stringify(one)), audit, ...control.answers]) {
      expect(text).not.toContain(planted)
      expect(text).not.toContain(credential)
    }
    expect(texts[0]?.text).toContain('env: PONTO_SECRET_GPT_4O')
    expect(texts[0]?.notes[0]).toContain('set PONTO_SECRET_GPT_4O')
    // Each is told of as if it had been made alone.
    expect(JSON.parse(audit).value.map(({ target }: { target: string }) => target)).toContain(
      '/management/deployments/gpt-4o',
    )
  })

  test('Bicep and Terraform: all of it, texts escaped, and what they cannot say told', async () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: signs that both languages would read as more than a text.
    const tags = { "o'brien": 'a${b}', 'x y': '%{if}\n"q"\\' }
    await control.send('PUT', '/deployments/gpt-4o.mini', {
      body: { model: { name: 'gpt-4o-mini', version: '1' }, tags, backends: [{ url: 'https://a.example/v1' }] },
    })
    await put(azList, { backends: [{ url: 'https://a.example/v1' }] })
    const bicep = await write('bicep')
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the same, escaped.
    expect(bicep.text).toContain("    'o\\'brien': 'a\\${b}'\n    'x y': '%{if}\\n\"q\"\\\\'")
    expect(bicep.text).toContain('  dependsOn: [\n    deployment_gpt_4o\n  ]')
    expect(bicep.notes).toContain('gpt-4o.mini: backends: only YAML and ARM have them')
    expect(bicep.notes).toContain('gpt-4o.mini has no SKU: Azure gives it Standard with a capacity of 1')
    const terraform = await write('terraform')
    expect(terraform.text).toContain('resource "azurerm_cognitive_deployment" "gpt-4o_2e_mini" {')
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as above.
    const description = '${a} %{if} \\ "q"\n\u0001'
    await control.send('PUT', '/rai-blocklists/names', { body: { description } })
    expect((await write('terraform')).text).toContain('description          = "$${a} %%{if} \\\\ \\"q\\"\\n\\u0001"')
    expect(terraform.notes).toContain('gpt-4o.mini: tags: azurerm has no place for them')
    expect((await control.send('GET', '/export?format=word')).status).toBe(400)
  })
})
