import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ArmFixture, type Sent, startArm } from '../../src/control/arm/arm.fixture.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { validate } from './validate.ts'

/**
 * Every operation of the management API in the vendor's shape: each is answered, and a developer who has the vendor's descriptions (in the
 * folder `management` of PONTO_SPECS) has the answers held to them in full.
 */

type Answer = { readonly method: string; readonly path: string; readonly sent: Sent }

const stable = 'cognitiveservices-stable-2026-07-01.openapi.json'
const preview = 'cognitiveservices-preview-2026-05-15.openapi.json'
const versions: Readonly<Record<string, string>> = { [stable]: '2026-07-01', [preview]: '2026-05-15-preview' }

const provider = '/providers/Microsoft.CognitiveServices'
const place = `${provider}/locations/eastus`
const account = `/resourceGroups/team${provider}/accounts/shop`
const model = { format: 'Ponto', name: 'builtin-nano', version: '1' }
const filter = {
  name: 'Hate',
  source: 'Prompt',
  severityThreshold: 'Low',
  enabled: true,
  blocking: true,
  action: 'BLOCKING',
}
const backends = [{ url: 'https://api.example/v1' }]

/** Calls in an order in which each finds what it needs; the parts of paths are found again in the descriptions by their words. */
const calls: readonly (readonly [method: string, path: string, body?: unknown])[] = [
  [
    'PUT',
    account,
    {
      location: 'eastus',
      kind: 'AIServices',
      tags: { a: 'b' },
      identity: { type: 'SystemAssigned' },
      properties: {
        customSubDomainName: 'shop',
        networkAcls: { defaultAction: 'Deny', ipRules: [{ value: '10.0.0.0/8' }] },
      },
    },
  ],
  ['PUT', account, { location: 'eastus' }],
  ['PATCH', account, { tags: { c: 'd' } }],
  ['GET', account],
  ['GET', `/resourceGroups/team${provider}/accounts`],
  ['GET', `${provider}/accounts`],
  ['POST', `${account}/listKeys`],
  ['POST', `${account}/regenerateKey`, { keyName: 'Key1' }],
  ['GET', `${account}/skus`],
  ['GET', `${account}/models`],
  ['GET', `${account}/usages`],
  ['PUT', `${account}/raiBlocklists/words`, { properties: { description: 'd' }, tags: { a: 'b' } }],
  ['GET', `${account}/raiBlocklists/words`],
  ['GET', `${account}/raiBlocklists`],
  ['PUT', `${account}/raiBlocklists/words/raiBlocklistItems/one`, { properties: { pattern: 'x' } }],
  [
    'POST',
    `${account}/raiBlocklists/words/addRaiBlocklistItems`,
    [{ name: 'two', properties: { pattern: 'y', isRegex: true } }],
  ],
  ['GET', `${account}/raiBlocklists/words/raiBlocklistItems`],
  ['GET', `${account}/raiBlocklists/words/raiBlocklistItems/one`],
  ['POST', `${account}/raiBlocklists/words/deleteRaiBlocklistItems`, ['two']],
  ['DELETE', `${account}/raiBlocklists/words/raiBlocklistItems/one`],
  ['PUT', `${account}/raiTopics/weather`, { properties: { description: 'd', ponto: { examples: ['e'] } } }],
  ['GET', `${account}/raiTopics`],
  ['GET', `${account}/raiTopics/weather`],
  [
    'PUT',
    `${account}/raiPolicies/strict`,
    {
      tags: { a: 'b' },
      properties: {
        mode: 'Asynchronous_filter',
        contentFilters: [filter],
        customBlocklists: [{ blocklistName: 'words', source: 'Completion' }],
      },
    },
  ],
  ['GET', `${account}/raiPolicies`],
  ['GET', `${account}/raiPolicies/strict`],
  [
    'PUT',
    `${account}/deployments/chat`,
    {
      sku: { name: 'Standard', capacity: 3 },
      tags: { a: 'b' },
      properties: { model, raiPolicyName: 'strict', versionUpgradeOption: 'NoAutoUpgrade' },
    },
  ],
  [
    'PUT',
    `${account}/deployments/bought`,
    {
      sku: { name: 'GlobalProvisionedManaged', capacity: 15 },
      properties: {
        model: { format: 'OpenAI', name: 'gpt-4o' },
        spilloverDeploymentName: 'chat',
        ponto: { backends, price: {}, concurrency: 2 },
      },
    },
  ],
  ['PATCH', `${account}/deployments/chat`, { sku: { name: 'Standard', capacity: 4 } }],
  ['GET', `${account}/deployments`],
  ['GET', `${account}/deployments/chat`],
  ['GET', `${account}/deployments/bought`],
  ['GET', `${account}/deployments/chat/skus`],
  ['POST', `${account}/deployments/chat/pause`],
  ['POST', `${account}/deployments/chat/resume`],
  ['POST', `${account}/evaluateDeploymentPolicies`, { deployments: [{ name: 'new', properties: { model } }] }],
  ['GET', `${place}/models`],
  ['GET', `${place}/usages`],
  ['GET', `${place}/modelCapacities?modelFormat=OpenAI&modelName=gpt-4o&modelVersion=2024-08-06`],
  ['GET', `${provider}/modelCapacities?modelFormat=OpenAI&modelName=gpt-4o&modelVersion=2024-08-06`],
  ['POST', `${provider}/calculateModelCapacity`, { model, skuName: 'Standard', workloads: [{ requestPerMinute: 9 }] }],
  ['GET', `${place}/raiContentFilters`],
  ['GET', `${place}/raiContentFilters/Jailbreak`],
  ['POST', `${place}/checkSkuAvailability`, { skus: ['S0', 'F0'], kind: 'OpenAI', type: 'accounts' }],
  ['POST', `${provider}/checkDomainAvailability`, { subdomainName: 'shop', type: 'accounts', kind: 'OpenAI' }],
  ['GET', `${provider}/skus`],
  ['GET', `${provider}/quotaTiers`],
  ['GET', `${provider}/quotaTiers/default`],
  ['PUT', `${provider}/quotaTiers/default`, { properties: { tierUpgradePolicy: 'NoAutoUpgrade' } }],
  ['PATCH', `${provider}/quotaTiers/default`, {}],
  ['GET', `${provider}/raiPolicy/Microsoft.DefaultV2`],
  ['PUT', `${provider}/raiPolicy/mine`, {}],
  ['DELETE', `${provider}/raiPolicy/mine`],
  ['DELETE', `${account}/deployments/chat`],
  ['DELETE', `${account}/deployments/chat`],
  ['DELETE', `${account}/raiPolicies/strict`],
  ['DELETE', `${account}/raiTopics/weather`],
  ['DELETE', `${account}/raiBlocklists/words`],
  ['DELETE', account],
  ['GET', `${provider}/deletedAccounts`],
  ['GET', `${place}/resourceGroups/team/deletedAccounts/shop`],
  ['DELETE', `${place}/resourceGroups/team/deletedAccounts/shop`],
  ['GET', account],
  ['PUT', `${account}/deployments/none`, { properties: { model } }],
]

const quota = [{ format: 'OpenAI', model: 'gpt-4o', sku: 'GlobalStandard', limit: 10 }]
const fixtures: ArmFixture[] = []
const answers: Record<string, readonly Answer[]> = {}

beforeAll(async () => {
  for (const [file, version] of Object.entries(versions)) {
    const arm = await startArm({ config: { quota } })
    fixtures.push(arm)
    await arm.send('PUT', '/resourcegroups/team', { location: 'eastus' })
    const all: Answer[] = []
    for (const [method, path, body] of calls) {
      all.push({ method, path: path.split('?')[0] as string, sent: await arm.send(method, path, body, { version }) })
    }
    answers[file] = all
  }
})
afterAll(async () => {
  for (const arm of fixtures) await arm.stop()
})

test('every call is answered as it should be', () => {
  const refused: readonly string[] = ['raiPolicy/mine']
  for (const { method, path, sent } of answers[stable] as readonly Answer[]) {
    const isRefused = refused.some((end) => path.endsWith(end))
    expect([method, path, sent.status]).toEqual([method, path, isRefused ? 400 : expect.any(Number)])
    expect([sent.text, sent.status < 500]).toEqual([sent.text, true])
  }
  const last = (answers[stable] as readonly Answer[]).slice(-2)
  expect(last.map(({ sent }) => sent.status)).toEqual([404, 404])
  const failed = (answers[stable] as readonly Answer[])
    .slice(0, -2)
    .filter(({ path, sent }) => sent.status >= 400 && !path.endsWith('raiPolicy/mine'))
  expect(failed.map(({ method, path, sent }) => `${method} ${path}: ${sent.text}`)).toEqual([])
})

/** Where the descriptions say otherwise than the service does. */
const mistakes: readonly (readonly [place: RegExp, why: string])[] = [
  [
    /deletedAccounts.*\$(\.value\[\d+\])?\.type: got/,
    'what is deleted has a type of its own, as its resource type says',
  ],
]

const folder = process.env.PONTO_SPECS && join(process.env.PONTO_SPECS, 'management')

/** The descriptions are not the project's to ship, so without a folder of them there is nothing here to skip. */
function testDescriptions(folder: string): void {
  for (const file of Object.keys(versions).filter((name) => existsSync(join(folder, name)))) {
    test(file, () => {
      const document = JSON.parse(readFileSync(join(folder, file), 'utf8')) as JsonObject
      const operations = listOperations(document)
      const left = new Set(operations.map(({ id }) => id))
      const problems = (answers[file] as readonly Answer[]).flatMap(({ method, path, sent }) => {
        const found = operations.find((one) => one.method === method && one.pattern.test(path))
        if (!found) return []
        left.delete(found.id)
        const response = found.responses[String(sent.status)] ?? found.responses.default
        if (!response) return [`${method} ${path}: status ${sent.status}`]
        const isListed = String(sent.status) in found.responses || sent.status >= 400
        const schema = (response.content as JsonObject | undefined)?.['application/json'] as JsonObject | undefined
        return [
          ...(isListed ? [] : [`${method} ${path}: status ${sent.status} is not one of the operation`]),
          ...(schema
            ? validate(sent.body, schema.schema as JsonObject, document).map((one) => `${method} ${path}: ${one}`)
            : []),
        ]
      })
      expect([...left]).toEqual([])
      expect([...new Set(problems)].filter((one) => !mistakes.some(([known]) => known.test(one)))).toEqual([])
    })
  }
}

if (folder !== undefined) describe("against the vendor's descriptions", () => testDescriptions(folder))

type Operation = {
  readonly id: string
  readonly method: string
  readonly pattern: RegExp
  readonly responses: Readonly<Record<string, JsonObject>>
}

function listOperations(document: JsonObject): Operation[] {
  return Object.entries(document.paths as Record<string, Record<string, JsonObject>>).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([method]) => method !== 'parameters')
      .map(([method, operation]) => ({
        id: operation.operationId as string,
        method: method.toUpperCase(),
        pattern: new RegExp(
          `^${path
            .replace('/subscriptions/{subscriptionId}', '')
            .replaceAll('.', '\\.')
            .replaceAll(/\{\w+\}/g, '[^/]+')}$`,
          'i',
        ),
        responses: operation.responses as Record<string, JsonObject>,
      })),
  )
}
