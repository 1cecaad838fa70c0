import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import type { JsonObject } from '../../src/core/json.ts'
import { makeList, makePlan, makeSide } from '../../src/policy/filter/filter.fixture.ts'
import { createPiiRule } from '../../src/policy/filter/pii/pii-rule.ts'
import type { FilterPlan } from '../../src/policy/filter/plan.ts'
import { type FakeUpstream, json, type Step, sseHead } from '../support/fake-upstream.ts'
import { startFiltered } from '../support/filtered.ts'
import type { Harness } from '../support/harness.ts'
import { sayEverywhere } from '../support/told-answers.ts'

/** Filters on the Responses API: every place of a request that a model reads, and answers of which only this protocol knows the words. */

let upstream: FakeUpstream
let ponto: Harness
let plan: FilterPlan

beforeAll(async () => {
  ;({ upstream, ponto } = await startFiltered(() => plan))
  const native = { url: `${upstream.url}/v1`, chatApis: ['responses'] } as const
  const model = { name: 'gpt-4o' }
  ponto.deploy(
    { name: 'native', model, raiPolicyName: 'own', backends: [{ ...native, chatApis: [...native.chatApis] }] },
    { name: 'chat', model, raiPolicyName: 'own', backends: [{ url: `${upstream.url}/v1` }] },
  )
})
afterAll(async () => {
  await ponto.stop()
  await upstream.stop()
})
beforeEach(() => {
  upstream.requests.length = 0
  plan = strict
})

const path = '/openai/v1/responses'
const blocklists = [makeList('secret', ['tangerine'])]
const scope = { messages: 'all', toolResults: true, exemptSystem: false } as const
const strict = makePlan({ scope, prompt: makeSide({ blocklists }), completion: makeSide({ blocklists }) })

describe('what a model reads of a request is judged', () => {
  const word = 'a tangerine'
  const user = { role: 'user', content: 'hello' }
  const call = { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' }
  const result = { type: 'function_call_output', call_id: 'c', output: 'fine' }
  const said = (content: unknown): object => ({ input: [user, { role: 'assistant', content }, user] })
  const tool = { type: 'function', name: 'f', parameters: { type: 'object' } }
  const places: Record<string, object> = {
    'the input': { input: word },
    instructions: { instructions: word },
    'a message of the system': { input: [{ role: 'system', content: word }, user] },
    'a message of the developer': {
      input: [{ role: 'developer', content: [{ type: 'input_text', text: word }] }, user],
    },
    'an earlier message of the user': {
      input: [{ role: 'user', content: word }, { role: 'assistant', content: 'ok' }, user],
    },
    'two parts of a message': {
      input: [
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'a tang' },
            { type: 'input_text', text: 'erine' },
          ],
        },
      ],
    },
    'an earlier answer': said([{ type: 'output_text', text: word, annotations: [] }]),
    'an earlier refusal': said([{ type: 'refusal', refusal: word }]),
    'the arguments of a call': { input: [user, { ...call, arguments: JSON.stringify({ fruit: word }) }, result] },
    'the result of a call': { input: [user, call, { ...result, output: word }] },
    'a part of a result': { input: [user, call, { ...result, output: [{ type: 'input_text', text: word }] }] },
    'the name of a file': {
      input: [
        { role: 'user', content: [{ type: 'input_file', filename: `${word}.pdf`, file_data: 'data:;base64,AA' }] },
      ],
    },
    'earlier thoughts': {
      input: [user, { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: word }] }, call, result],
    },
    'thoughts as they were': {
      input: [
        user,
        { type: 'reasoning', id: 'rs_1', summary: [], content: [{ type: 'reasoning_text', text: word }] },
        call,
        result,
      ],
    },
    'what only looks sealed': {
      input: [user, { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: word }, call, result],
    },
    'an item of this protocol alone': {
      input: [{ type: 'custom_tool_call_output', call_id: 'c', output: word }, user],
    },
    'an item of tomorrow': { input: [{ type: 'hologram', deep: [{ say: word }] }, user] },
    'the description of a tool': { tools: [{ ...tool, description: word }] },
    'the schema of a tool': { tools: [{ ...tool, parameters: { type: 'object', description: word } }] },
    'a tool that is built in': { tools: [{ type: 'mcp', server_label: 's', server_description: word }] },
    'the schema of the answer': {
      text: { format: { type: 'json_schema', name: 'a', schema: { type: 'object', description: word } } },
    },
    'variables of a prompt': { prompt: { id: 'pmpt_1', variables: { fruit: word } } },
    'a field of tomorrow': { future: word },
  }
  for (const [name, change] of Object.entries(places)) {
    test(name, async () => {
      sayEverywhere(upstream, { text: ['Fine.'] })
      for (const stream of [false, true]) {
        const response = await ponto.post(path, { model: 'native', input: 'hello', ...change, stream })
        expect(response.status).toBe(400)
        expect(await response.json()).toMatchObject({ error: { code: 'content_filter', param: 'prompt' } })
      }
      expect(upstream.requests).toHaveLength(0)
      const clean = JSON.parse(JSON.stringify({ model: 'native', input: 'hello', ...change }).replaceAll('ang', 'ung'))
      expect((await ponto.post(path, clean)).status).toBe(200)
    })
  }

  test('by the usual scope: the newest message, and what the caller has the model go on from', async () => {
    plan = makePlan({ prompt: makeSide({ blocklists }) })
    sayEverywhere(upstream, { text: ['Fine.'] })
    const bad = { role: 'user', content: word }
    const status = async (input: unknown) => (await ponto.post(path, { model: 'native', input })).status
    expect(await status([bad])).toBe(400)
    expect(await status([user, { role: 'assistant', content: word }])).toBe(400)
    const thought = { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: word }] }
    expect(await status([user, thought])).toBe(400)
    expect(await status([bad, { role: 'assistant', content: 'No.' }, user])).toBe(200)
  })

  test('a field that looks like another one is refused, and one that is there twice counts once', async () => {
    sayEverywhere(upstream, { text: ['Fine.'] })
    for (const [body, param] of [
      [{ model: 'native', input: 'hello', Input: word }, 'Input'],
      [{ model: 'native', input: 'hello', INSTRUCTIONS: word }, 'INSTRUCTIONS'],
      [{ model: 'native', input: [{ ...user, Content: word }] }, 'input[0].Content'],
      [
        { model: 'native', input: [{ role: 'user', content: [{ type: 'input_text', text: 'a', Text: word }] }] },
        'input[0].content[0].Text',
      ],
      [{ model: 'native', input: [call, { ...result, Output: word }] }, 'input[1].Output'],
    ] as const) {
      const response = await ponto.post(path, body)
      expect(await response.json()).toMatchObject({ error: { param } })
      expect(response.status).toBe(400)
    }
    await ponto.post(path, `{"model":"native","input":"${word}","input":"hello"}`)
    expect(upstream.requests).toHaveLength(1)
    expect(upstream.requests[0]?.body).not.toContain('tangerine')
  })
})

const hex = '68af0f21aa5c8190b6a9dd0c6f9a1b2c03d4e5f6a7b8c9d0'
const sealed = 'gAAAAABo0000Zz09bQxYt8kLmN3pR7sTuVwXyZ'

/** An answer with everything that only this protocol says. */
function makeAnswer(words: Record<string, string> = {}): JsonObject {
  return {
    id: `resp_${hex}`,
    object: 'response',
    created_at: 1,
    status: 'completed',
    model: 'm',
    error: null,
    incomplete_details: null,
    output: [
      {
        id: `rs_${hex}`,
        type: 'reasoning',
        summary: [{ type: 'summary_text', text: words.thought ?? 'Fruit?' }],
        encrypted_content: sealed,
      },
      {
        id: `ws_${hex}`,
        type: 'web_search_call',
        status: 'completed',
        action: { type: 'search', query: words.query ?? 'fruit' },
      },
      {
        id: `msg_${hex}`,
        type: 'message',
        status: 'completed',
        role: 'assistant',
        content: [
          {
            type: 'output_text',
            text: words.text ?? 'A fig.',
            annotations: [
              {
                type: 'url_citation',
                start_index: 0,
                end_index: 1,
                url: 'https://e.example/',
                title: words.title ?? 'Figs',
              },
            ],
          },
        ],
      },
      {
        id: `fc_${hex}`,
        type: 'function_call',
        status: 'completed',
        call_id: 'call_1',
        name: 'eat',
        arguments: words.arguments ?? '{"fruit":"fig"}',
      },
    ],
    usage: { input_tokens: 3, output_tokens: 4, total_tokens: 7 },
  }
}

function say(answer: JsonObject): void {
  upstream.respond(({ body }) => (JSON.parse(body).stream === true ? streamAnswer(answer) : json(answer)))
}

function streamAnswer(answer: JsonObject): readonly Step[] {
  let sequence = 0
  const named = (type: string, fields: object): Step => ({
    do: 'send',
    text: `event: ${type}\ndata: ${JSON.stringify({ type, ...fields, sequence_number: sequence++ })}\n\n`,
  })
  const pieces = (text: string): string[] => text.match(/.{1,4}/gs) ?? []
  const items = answer.output as JsonObject[]
  return [
    sseHead,
    named('response.created', { response: { ...answer, status: 'in_progress', output: [] } }),
    ...items.flatMap((item, output_index) => {
      const place = { output_index, item_id: item.id, content_index: 0 }
      const [part] = (item.content ?? item.summary ?? []) as JsonObject[]
      const deltas =
        item.type === 'function_call'
          ? pieces(item.arguments as string).map((delta) =>
              named('response.function_call_arguments.delta', { ...place, delta }),
            )
          : part
            ? pieces(part.text as string).map((delta) =>
                named(
                  part.type === 'summary_text' ? 'response.reasoning_summary_text.delta' : 'response.output_text.delta',
                  { ...place, delta },
                ),
              )
            : []
      const notes = ((part?.annotations ?? []) as JsonObject[]).map((annotation) =>
        named('response.output_text.annotation.added', { ...place, annotation_index: 0, annotation }),
      )
      const begun: JsonObject = { ...item, status: 'in_progress' }
      for (const name of ['content', 'summary']) if (name in item) begun[name] = []
      if (item.type === 'function_call') begun.arguments = ''
      return [
        named('response.output_item.added', { output_index, item: begun }),
        ...deltas,
        ...notes,
        named('response.output_item.done', { output_index, item }),
      ]
    }),
    named('response.completed', { response: answer }),
    { do: 'end' },
  ]
}

async function ask(stream: boolean, more: object = {}): Promise<JsonObject> {
  const body = { model: 'native', input: 'hello', reasoning: { summary: 'auto' }, ...more, stream }
  const response = await ponto.post(path, body)
  expect(response.status).toBe(200)
  if (!stream) return response.json()
  const events = (await response.text()).split('\n\n').filter(Boolean)
  return JSON.parse((events.at(-1) as string).split('\ndata: ')[1] as string).response
}

describe.each([
  ['whole', false],
  ['streamed', true],
] as const)('answers, %s', (_name, stream) => {
  test('what only this protocol says arrives as it was', async () => {
    const answer = makeAnswer()
    say(answer)
    const { output, status, id } = await ask(stream)
    expect({ status, id }).toEqual({ status: 'completed', id: `resp_${hex}` })
    const [thought, search, message, call] = output as JsonObject[]
    const [first, second, third, fourth] = answer.output as JsonObject[]
    expect([thought, search, call]).toEqual([first, second, fourth] as never)
    expect(message).toMatchObject({
      id: third?.id,
      content: [{ text: 'A fig.', annotations: [{ title: 'Figs' }] }],
    } as never)
  })

  test.each(['thought', 'query', 'text', 'title', 'arguments'])(
    'what is to be kept back is found in: %s',
    async (where) => {
      say(makeAnswer({ [where]: where === 'arguments' ? '{"fruit":"t\\u0061ngerine"}' : 'a tangerine' }))
      const answer = await ask(stream)
      expect(JSON.stringify(answer)).not.toContain('ngerine')
      expect(answer).toMatchObject({
        status: 'incomplete',
        incomplete_details: { reason: 'content_filter' },
        content_filters: [
          { source_type: 'prompt', blocked: false },
          {
            source_type: 'completion',
            blocked: true,
            content_filter_results: { custom_blocklists: { filtered: true } },
          },
        ],
      })
    },
  )

  test('a second turn has the sealed thoughts of the first, also where its prompt is written anew', async () => {
    const pii = createPiiRule(new Map([['Email', 'redact']]), true)
    plan = makePlan({ prompt: makeSide({ pii }), completion: makeSide({ blocklists }) })
    say(makeAnswer())
    const first = await ask(stream)
    const output = first.output as JsonObject[]
    const result = { type: 'function_call_output', call_id: 'call_1', output: 'Mail ann@example.com.' }
    const tools = [{ type: 'web_search' }]
    await ask(stream, { input: [{ role: 'user', content: 'hello' }, ...output, result], tools, metadata: { a: 'b' } })
    const sent = JSON.parse(upstream.requests.at(-1)?.body ?? '')
    expect(JSON.stringify(sent)).not.toContain('ann@')
    expect(sent).toMatchObject({ store: false, tools, metadata: { a: 'b' }, reasoning: { summary: 'auto' } })
    expect(sent.input).toContainEqual(output[0])
    expect(sent.input).toContainEqual(output[1])
  })

  test('personal data of the answer is made unreadable, with the tokens that would tell it', async () => {
    const pii = createPiiRule(new Map([['Email', 'redact']]), false)
    plan = makePlan({ completion: makeSide({ pii }) })
    const answer = makeAnswer()
    const [, , message] = answer.output as JsonObject[]
    const text = 'Mail ann@example.com now.'
    const logprobs = [...text].map((token) => ({ token, logprob: -1, bytes: [1], top_logprobs: [] }))
    ;(message as JsonObject).content = [{ type: 'output_text', text, annotations: [], logprobs }]
    say(answer)
    const told = await ask(stream, { include: ['message.output_text.logprobs'] })
    expect(JSON.stringify(told)).not.toContain('ann@')
    expect(JSON.stringify(told)).toContain('[Email]')
    expect(JSON.stringify(told)).not.toContain('"token":"@"')
  })
})
