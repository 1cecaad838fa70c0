import { describe, expect, test } from 'bun:test'
import type { Json, JsonObject } from '../../../core/json.ts'
import { readArmTemplate } from './read-template.ts'

const schema = 'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#'
const type = 'Microsoft.CognitiveServices/accounts/deployments'
const model = { format: 'OpenAI', name: 'gpt-4o', version: '2024-11-20' }

function read(template: JsonObject, parameters?: JsonObject) {
  const { items, notes } = readArmTemplate({ $schema: schema, ...template }, parameters)
  return { items: items.map(({ name, makeDocument }): JsonObject => ({ name, ...makeDocument(undefined) })), notes }
}

/** What an expression comes to, or why it comes to nothing. */
function workOut(expression: string, template: JsonObject = {}): Json | undefined {
  const resource = { type, name: 'a/it', tags: { it: expression }, properties: { model } }
  const { items, notes } = read({ ...template, resources: [resource] })
  return items[0] ? (items[0].tags as JsonObject).it : notes[0]?.replace(/^.* is left out: /, '')
}

describe('expressions', () => {
  const cases: readonly [expression: string, value: Json][] = [
    ['plain [text]', 'plain [text]'],
    ['[[not one]', '[not one]'],
    ["[concat('a', 'it''s', string(3))]", "ait's3"],
    ["[format('{0}-{1}-{0}', 'a', 2)]", 'a-2-a'],
    ["[toUpper(toLower('Ab'))]", 'AB'],
    ["[if(equals('A', 'a'), createArray(1, 2)[1], null())]", 2],
    ['[length(union(createArray(1, 2), createArray(2, 3)))]', 3],
    ["[union(createObject('a', 1), createObject('b', 2)).b]", 2],
    ["[coalesce(tryGet(createObject('a', 1), 'b'), json('{\"c\": [true]}').c[0])]", true],
    ["[and(not(false()), or(false(), empty('')), contains('abc', 'b'), contains(createArray('x'), 'X'))]", true],
    ["[int('5')]", 5],
    ["[bool('True')]", true],
    ["[parameters('LATE')]", 'one-two'],
    ["[variables('list')[1].name]", 'two'],
  ]
  const template = {
    parameters: { first: { defaultValue: 'one' }, late: { defaultValue: "[concat(parameters('first'), '-two')]" } },
    variables: { list: [1, { name: 'two' }] },
  }
  test.each(cases)('%s', (expression, value) => {
    expect(workOut(expression, template)).toEqual(value)
  })

  const doubled = Object.fromEntries(
    Array.from({ length: 14 }, (_, index) => [
      `v${index}`,
      `[concat(${Array.from({ length: 10 }, () => `variables('v${index + 1}')`).join(', ')})]`,
    ]),
  )
  const refused: readonly [why: string, expression: string, variables?: JsonObject][] = [
    ['the function "reference" is not known here', "[reference('x').y]"],
    ['the parameter "x" has no value; give it one with --parameter x=VALUE', "[parameters('x')]"],
    ['there is no variable "toString"', "[variables('toString')]"],
    ['there is no member "constructor"', "[createObject('a', 1).constructor]"],
    ['it refers to itself, or goes too deep', "[variables('a')]", { a: "[variables('a')]" }],
    ['it comes to more than is worked out here', "[variables('v0')]", { ...doubled, v14: 'x' }],
    [
      'it comes to more than is worked out here',
      "[variables('a')]",
      {
        a: `[format('${'{0}'.repeat(5_000)}', variables('b'))]`,
        b: 'x'.repeat(20_000),
      },
    ],
    ['an expression has more than 24576 characters', `[concat('${'x'.repeat(30_000)}')]`],
    ['copyIndex() stands outside of the loop ""', '[copyIndex()]'],
    ['"," is missing in an expression', "[concat('a'('b')]"],
    ['"[null() null()]" is no expression that is understood here', '[null() null()]'],
  ]
  for (const [why, expression, variables = {}] of refused) {
    test(why, () => {
      expect(workOut(expression, { variables })).toBe(why)
    })
  }
})

describe('what bicep build makes', () => {
  test('symbolic names, resources that are there already, and those that need Azure in fields nobody reads', () => {
    const { items, notes } = read(
      {
        languageVersion: '2.0',
        parameters: { account: { type: 'string' } },
        resources: {
          account: { existing: true, type: 'Microsoft.CognitiveServices/accounts', name: "[parameters('account')]" },
          chat: {
            type,
            name: "[format('{0}/{1}', parameters('account'), 'chat')]",
            sku: { name: 'GlobalStandard', capacity: 10 },
            properties: { model },
            scope: "[reference('elsewhere')]",
            dependsOn: ["[reference('other')]"],
          },
          vault: { type: 'Microsoft.KeyVault/vaults', name: "[uniqueString('x')]" },
          vault2: { type: 'Microsoft.KeyVault/vaults', name: 'v' },
        },
      },
      { account: { value: 'contoso' } },
    )
    expect(items).toEqual([{ name: 'chat', model, sku: { name: 'GlobalStandard', capacity: 10 } }])
    expect(notes).toEqual([
      "resources of the type Microsoft.KeyVault/vaults are not taken over: [uniqueString('x')], v",
    ])
  })

  const loop = (count: Json) => ({
    copy: { name: 'each', count },
    condition: "[not(equals(parameters('models')[copyIndex()].name, 'off'))]",
    type,
    name: "[format('{0}/{1}', 'a', parameters('models')[copyIndex('each')].name)]",
    sku: { name: 'GlobalStandard', capacity: '[copyIndex(1)]' },
    properties: { model },
  })
  const models = ['one', 'off', 'three'].map((name) => ({ name }))

  test('loops, with conditions, are written out; one without an end is told', () => {
    const parameters = { models: { type: 'array', defaultValue: models } }
    const { items } = read({ parameters, resources: [loop("[length(parameters('models'))]")] })
    expect(items.map(({ name, sku }) => [name, (sku as JsonObject).capacity])).toEqual([
      ['one', 1],
      ['three', 3],
    ])
    expect(read({ parameters, resources: [loop(1e9)] }).notes[0]).toContain('its loop has no count from 0 to 800')
  })

  test('modules: with their own parameters, or those around them; links and depths without end are told', () => {
    const module = (template: Json | undefined, more: JsonObject = {}): JsonObject => ({
      type: 'Microsoft.Resources/deployments',
      name: 'module',
      properties: {
        expressionEvaluationOptions: { scope: 'inner' },
        ...more,
        ...(template !== undefined && { template }),
      },
    })
    const inner = { parameters: { models: { type: 'array' } }, resources: [loop(1)] }
    const given = { parameters: { models: { value: "[createArray(createObject('name', parameters('name')))]" } } }
    const outer = { parameters: { name: { type: 'string', defaultValue: 'inside' } } }
    expect(read({ ...outer, resources: [module(inner, given)] }).items[0]?.name).toBe('inside')
    const around = module({ resources: [{ ...loop(1), name: "[concat('a/', parameters('name'))]", condition: true }] })
    delete (around.properties as JsonObject).expressionEvaluationOptions
    expect(read({ ...outer, resources: [around] }).items[0]?.name).toBe('inside')
    expect(read({ resources: [module(undefined)] }).notes[0]).toContain('what it is made of is in another file')
    let deep: JsonObject = { resources: [] }
    for (let depth = 0; depth < 20; depth++) deep = { resources: [module(deep)] }
    expect(read(deep).notes[0]).toContain('too deep')
  })

  test('names that every object has are names like others', () => {
    const { items, notes } = read({
      metadata: { ponto: { deployments: {} } },
      resources: [
        { type, name: 'a/constructor', properties: { model } },
        { type: '__proto__', name: 'x' },
        { type: 'constructor', name: 'x' },
      ],
    })
    expect(items).toEqual([{ name: 'constructor', model, sku: { name: 'Standard', capacity: 1 } }])
    expect(notes).toHaveLength(2)
  })
})
