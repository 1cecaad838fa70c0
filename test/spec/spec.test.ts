import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse as parseYaml } from 'yaml'
import { isJsonObject, type JsonObject } from '../../src/core/json.ts'
import { openSqliteTables } from '../../src/port/tables/adapters/sqlite/open-sqlite-tables.ts'
import type { Tables } from '../../src/port/tables/port.ts'
import { openStoredCompletions, type StoredCompletions } from '../../src/service/stored-completions/open.ts'
import { type Harness, startHarness } from '../support/harness.ts'
import { type Answer, collectAnswers, talkative } from './answers.ts'
import { shapes } from './shapes.ts'
import { collectStoredAnswers } from './stored-answers.ts'
import { validate } from './validate.ts'

/**
 * Answers of every route against what the APIs promise. The facts are in shapes.ts; a developer who has the vendors' own descriptions
 * sets PONTO_SPECS to their folder, and they are held to those in full as well.
 */

let ponto: Harness
let answers: Answer[]

let home: string
let tables: Tables
let stored: StoredCompletions

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'ponto-spec-'))
  tables = await openSqliteTables(join(home, 'ponto.db'))
  const log = { debug() {}, info() {}, warn() {}, error() {} }
  stored = openStoredCompletions({ table: tables.storedCompletions, keepMs: 86_400_000, now: Date.now, log })
  ponto = await startHarness({ builtin: talkative, policies: [stored.policy], services: stored.routes })
  ponto.deploy(
    { name: 'talker', model: { name: 'talker', version: '2026-01-01' } },
    { name: 'other', model: { name: 'other' } },
  )
  answers = [...(await collectAnswers(ponto)), ...(await collectStoredAnswers(ponto))]
})
afterAll(async () => {
  await ponto.stop()
  await stored.close()
  await tables.close()
  rmSync(home, { recursive: true })
})

test('every answer has the shape its clients rely on', () => {
  expect(new Set(answers.map(({ shape }) => shape)).size).toBe(Object.keys(shapes).length - 1)
  for (const { name, shape, body } of answers) expect([name, validate(body, shapes[shape])]).toEqual([name, []])
})

test('log probabilities', () => {
  const logprobs = answers
    .filter(({ shape }) => shape.startsWith('chat'))
    .flatMap(({ body }) => (body.choices as JsonObject[]).map((choice) => choice.logprobs))
    .filter(isJsonObject)
  expect(logprobs.length).toBeGreaterThan(4)
  for (const one of logprobs) expect(validate(one, shapes['log probabilities'])).toEqual([])
})

test('the check sees what is wrong', () => {
  const { body } = answers.find(({ shape }) => shape === 'chat, Azure OpenAI') as Answer
  const wrong: [JsonObject, string][] = [
    [{ ...body, id: 5 }, '$.id'],
    [{ ...body, object: 'chat' }, '$.object'],
    [{ ...body, choices: [] }, '$.choices'],
    [{ ...body, choices: [{ index: 0, finish_reason: 'eos', message: {} }] }, '$.choices[0].finish_reason'],
    [Object.fromEntries(Object.entries(body).filter(([key]) => key !== 'usage')), '$.usage'],
  ]
  for (const [changed, at] of wrong) {
    expect(validate(changed, shapes['chat, Azure OpenAI']).some((problem) => problem.startsWith(at))).toBe(true)
  }
})

const folder = process.env.PONTO_SPECS

const documents: Readonly<Record<Answer['surface'], readonly string[]>> = {
  inference: [
    'ai-model-inference-2024-05-01-preview.swagger2.json',
    'ai-model-inference-2025-04-01.swagger2.json',
    'ai-model-inference-2025-05-15-preview.openapi3.json',
  ],
  dated: [
    'azure-openai-inference-2024-10-21.openapi3.json',
    'azure-openai-inference-2025-03-01-preview.openapi3.json',
    'azure-openai-authoring-2024-10-21.swagger2.json',
  ],
  v1: ['azure-openai-v1.openapi3.json'],
  stored: ['openai-upstream-2.3.0.openapi3.yaml'],
}

/** Where the descriptions are wrong and the services answer otherwise; also clients want what the services do. */
const mistakes: readonly (readonly [place: RegExp, why: string])[] = [
  [/message\.tool_calls: got null/, "the documentation's samples have null"],
  [/\$\.object: got "chat\.completion\.chunk"/, 'chunks say so on the wire'],
  [/finish_reason: got null/, 'null until the last chunk, as everywhere'],
  [/delta\.tool_calls\[0\]\.(id|function\.name): missing/, 'only the first delta of a call has them'],
  [/embedding: got "[\w+/=]+", expected array/, 'asked for as base64'],
  [/\$\.error\.details: got "Unknown model/, 'a text on the wire'],
  [/^extra keys: .* \$\.error: missing/, 'answered with `detail` alone'],
  [/system_fingerprint: got null/, 'null on the wire where a model has none'],
  [/\$\.usage: got null/, 'null until the last chunk when usage is asked for'],
  [/\$\.error\.type: got "invalid_request_error"/, 'the type clients know from the wire'],
  [/\/messages: \$\.data\[0\]\.role: got "user"/, "the description's own sample has it"],
  [/\$\.response\.usage: got null/, 'null on the wire until the answer has ended'],
  [/^bare: .*responses.*: \$\.user: got null/, 'null on the wire where the request names none'],
  [/openai\/responses\?api-version=2025-03-01-preview: .*"(response\.)?reasoning/, 'thoughts have another form since'],
  [/\$\.error\.code: got null/, 'null on the wire where an error has no code'],
]

/** The descriptions are not the project's to ship, so without a folder of them there is nothing here to skip. */
function testDescriptions(folder: string): void {
  for (const [surface, files] of Object.entries(documents)) {
    for (const file of files.filter((name) => existsSync(join(folder, name)))) {
      const path = join(folder, file)
      test(file, () => {
        const text = readFileSync(path, 'utf8')
        const document: JsonObject = file.endsWith('.yaml') ? parseYaml(text) : JSON.parse(text)
        let count = 0
        const problems = answers.flatMap((answer) => {
          const isMeant = answer.surface === surface && (!answer.version || file.includes(answer.version))
          const schema = isMeant ? findSchema(document, answer) : undefined
          if (!schema) return []
          count++
          return validate(answer.body, schema, document).map((problem) => `${answer.name}: ${problem}`)
        })
        console.log(`${file}: ${count} answers`)
        expect(count).toBeGreaterThan(0)
        expect([...new Set(problems)].filter((problem) => !mistakes.some(([known]) => known.test(problem)))).toEqual([])
      })
    }
  }
}

if (folder !== undefined) describe("against the vendors' descriptions", () => testDescriptions(folder))

/** The schema of a chunk has its own place in each document. */
const chunkSchemas = ['StreamingChatCompletionsUpdate', 'createChatCompletionStreamResponse']

function findSchema(
  document: JsonObject,
  { operation, method: named, status, isChunk, shape }: Answer,
): JsonObject | undefined {
  const paths = document.paths as Record<string, Record<string, JsonObject>>
  const methods = paths[operation]
  const method = named ? methods?.[named] : (methods?.post ?? methods?.get)
  if (!method) return undefined
  const responses = method.responses as Record<string, JsonObject>
  const response = responses[String(status)] ?? responses.default
  const content = response?.content as Record<string, JsonObject> | undefined
  if (isChunk && shape !== 'completion') {
    if (content?.['text/event-stream']) return content['text/event-stream'].schema as JsonObject
    const schemas = (document.definitions ?? (document.components as JsonObject).schemas) as Record<string, JsonObject>
    return chunkSchemas.map((name) => schemas[name]).find((schema) => schema !== undefined)
  }
  return (response?.schema ?? content?.['application/json']?.schema) as JsonObject | undefined
}
