import { describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CallKind } from '../../src/core/call.ts'
import type { Event } from '../../src/core/event.ts'
import { Fault, type FaultDetail } from '../../src/core/fault.ts'
import { type FaultCode, faultCodes } from '../../src/core/fault-codes.ts'
import type { Json, JsonObject } from '../../src/core/json.ts'
import type { Result } from '../../src/core/result.ts'
import { anthropicMessagesClient } from '../../src/wire/anthropic-messages/client.ts'
import { anthropicMessagesServer } from '../../src/wire/anthropic-messages/server.ts'
import { inferenceChatServer } from '../../src/wire/azure-inference/chat-server.ts'
import { inferenceChatClient, inferenceEmbeddingsClient } from '../../src/wire/azure-inference/client.ts'
import { inferenceEmbeddingsServer } from '../../src/wire/azure-inference/embeddings-server.ts'
import { faultWriterBelow } from '../../src/wire/index.ts'
import { openaiChatClient } from '../../src/wire/openai-chat/client.ts'
import { openaiChatServer } from '../../src/wire/openai-chat/server.ts'
import { openaiCompletionsClient } from '../../src/wire/openai-completions/client.ts'
import { openaiCompletionsServer } from '../../src/wire/openai-completions/server.ts'
import { openaiEmbeddingsClient } from '../../src/wire/openai-embeddings/client.ts'
import { openaiEmbeddingsServer } from '../../src/wire/openai-embeddings/server.ts'
import { openaiResponsesClient } from '../../src/wire/openai-responses/client.ts'
import { openaiResponsesServer } from '../../src/wire/openai-responses/server.ts'
import { openaiImagesServer } from '../../src/wire/passed/openai-images/server.ts'
import { readSseData } from '../../src/wire/sse/read-sse.ts'
import type { ClientEnd, EventWriter, ServerEnd } from '../../src/wire/wire.ts'

/**
 * Cases as data: what comes in at one wire and what must come out at another. Every detail that ever got lost gets one.
 * `chat/`, `others/`: a request body and what it becomes upstream. `refused/`: fields that cannot cross, and the field named in the refusal.
 * `answers/`, `streams/`: an upstream's answer and what the caller reads.
 * `filtered/`: an answer that our filters have judged, in canonical form, and what the caller reads.
 */

const here = import.meta.dir
const servers: Record<string, ServerEnd> = {
  'openai-chat': openaiChatServer,
  'azure-inference-chat': inferenceChatServer,
  'anthropic-messages': anthropicMessagesServer,
  'openai-responses': openaiResponsesServer,
  'openai-completions': openaiCompletionsServer,
  'openai-embeddings': openaiEmbeddingsServer,
  'azure-inference-embeddings': inferenceEmbeddingsServer,
}
const clients: Record<string, ClientEnd> = {
  'openai-chat': openaiChatClient,
  'azure-inference-chat': inferenceChatClient,
  'anthropic-messages': anthropicMessagesClient,
  'openai-responses': openaiResponsesClient,
  'openai-completions': openaiCompletionsClient,
  'openai-embeddings': openaiEmbeddingsClient,
  'azure-inference-embeddings': inferenceEmbeddingsClient,
}

type ChatCase = {
  readonly from: string
  readonly headers?: Record<string, string>
  readonly body: JsonObject
  readonly to: Record<string, { readonly body: JsonObject; readonly headers?: Record<string, string> }>
}

describe('requests', () => {
  for (const file of ['chat', 'others'].flatMap((folder) =>
    readdirSync(join(here, folder)).map((name) => join(folder, name)),
  )) {
    const golden: ChatCase = JSON.parse(readFileSync(join(here, file), 'utf8'))
    const server = servers[golden.from] as ServerEnd
    const input = {
      text: JSON.stringify(golden.body),
      body: golden.body,
      header: (name: string) => golden.headers?.[name] ?? null,
    }
    for (const [wire, expected] of Object.entries(golden.to)) {
      test(`${file}: ${golden.from} to ${wire}`, () => {
        const written = (clients[wire] as ClientEnd).writeCall(server.readCall(input), 'upstream-model')
        expect(JSON.parse(written.text)).toEqual(expected.body)
        expect(written.headers).toEqual(expected.headers)
      })
    }
  }
})

type RefusedCase = {
  readonly from: string
  readonly to: string
  readonly body: JsonObject
  readonly refused: readonly { readonly with: JsonObject; readonly message: string }[]
}

describe('refusals', () => {
  for (const file of readdirSync(join(here, 'refused'))) {
    const golden: RefusedCase = JSON.parse(readFileSync(join(here, 'refused', file), 'utf8'))
    const write = (change: JsonObject) => {
      const body = { ...golden.body, ...change }
      const call = (servers[golden.from] as ServerEnd).readCall({ text: '', body, header: () => null })
      return (clients[golden.to] as ClientEnd).writeCall(call, 'upstream-model')
    }
    test(`${file}: without the fields nothing is refused`, () => {
      expect(write({}).text).toBeString()
    })
    test.each(golden.refused.map((entry) => [JSON.stringify(entry.with), entry] as const))(
      `${file}: %s`,
      (_name, { with: change, message }) => {
        let fault: unknown
        try {
          write(change)
        } catch (error) {
          fault = error
        }
        expect(fault).toMatchObject({ code: 'unsupported-value', message })
      },
    )
  }
})

/** Enough for any of the wires but one. */
const request: JsonObject = { model: 'any', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] }
const responsesRequest: JsonObject = { model: 'any', max_output_tokens: 9, input: 'hi' }
const requestFor = (wire: string): JsonObject => (wire === 'openai-responses' ? responsesRequest : request)

/** Ids that Ponto makes itself are different every time. */
const withoutIds = (text: string): string => text.replace(/\b(resp|msg|fc|rs)_[0-9a-f]{48}\b/g, '$1_')
const head = { requestId: 'r', servedModel: 'served', created: 1 }

type AnswerCase = { readonly wire: string; readonly answer: JsonObject; readonly to: Record<string, JsonObject> }

describe('answers', () => {
  for (const file of readdirSync(join(here, 'answers'))) {
    const golden: AnswerCase = JSON.parse(readFileSync(join(here, 'answers', file), 'utf8'))
    for (const [wire, expected] of Object.entries(golden.to)) {
      test(`${file}: ${golden.wire} to ${wire}`, () => {
        const server = servers[wire] as ServerEnd
        const call = server.readCall({ text: '', body: requestFor(wire), header: () => null })
        const result = (clients[golden.wire] as ClientEnd).readResult(golden.answer, call)
        expect(JSON.parse(withoutIds(server.writeResult(result, call, head)))).toEqual(expected)
      })
    }
  }
})

type StreamCase = {
  readonly wire: string
  readonly request: JsonObject
  readonly chunks: JsonObject[]
  readonly to: Record<string, JsonObject[]>
}

/** Streams of these wires are named events, and end with one instead of `[DONE]`. */
const namedWires: ReadonlySet<string> = new Set(['anthropic-messages', 'openai-responses'])
const terminator = 'data: [DONE]'

async function* asBody(wire: string, chunks: readonly JsonObject[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) {
    const name = namedWires.has(wire) ? `event: ${chunk.type}\n` : ''
    yield new TextEncoder().encode(`${name}data: ${JSON.stringify(chunk)}\n\n`)
  }
  if (!namedWires.has(wire)) yield new TextEncoder().encode(`${terminator}\n\n`)
}

function readPayloads(wire: string, text: string): JsonObject[] {
  const events = text.split('\n\n').filter(Boolean)
  if (!namedWires.has(wire)) {
    expect(events.pop()).toBe(terminator)
    return events.map((event) => JSON.parse(event.slice('data: '.length)))
  }
  return events.map((event) => {
    const [, name, data] = /^event: ([\w.]+)\ndata: (.*)$/.exec(event) ?? []
    const payload = JSON.parse(data as string)
    expect(payload.type).toBe(name)
    return payload
  })
}

describe('streams', () => {
  for (const file of readdirSync(join(here, 'streams'))) {
    const golden: StreamCase = JSON.parse(readFileSync(join(here, 'streams', file), 'utf8'))
    for (const [wire, expected] of Object.entries(golden.to)) {
      test(`${file}: ${golden.wire} to ${wire}`, async () => {
        const server = servers[wire] as ServerEnd
        const body = wire === 'openai-responses' ? { ...responsesRequest, stream: true } : golden.request
        const call = server.readCall({ text: '', body, header: () => null })
        const writer = server.openStream(call, head)
        let text = ''
        const events = (clients[golden.wire] as ClientEnd).readEvents(
          readSseData(asBody(golden.wire, golden.chunks)),
          call,
        )
        for await (const event of events) text += writer.write(event)
        expect(readPayloads(wire, withoutIds(text + writer.end()))).toEqual(expected)
      })
    }
  }
})

type FilteredCase = {
  readonly to: Record<string, Json>
  readonly result?: Result
  readonly events?: readonly Event[]
}

/** What our own filters say of a prompt and its answer, with what an upstream says beside it, in each protocol. */
describe('filtered', () => {
  for (const file of readdirSync(join(here, 'filtered'))) {
    const golden: FilteredCase = JSON.parse(readFileSync(join(here, 'filtered', file), 'utf8'))
    for (const [wire, expected] of Object.entries(golden.to)) {
      test(`${file}: ${wire}`, () => {
        const server = servers[wire] as ServerEnd
        const { messages, ...common } = request
        const asked = wire === 'openai-responses' ? responsesRequest : { ...common, ...questions[server.kind] }
        const body: JsonObject = { ...asked, stream: golden.events !== undefined }
        const call = server.readCall({ text: '', body, header: () => null })
        const answer = golden.result
          ? JSON.parse(withoutIds(server.writeResult(golden.result, call, head)))
          : readPayloads(wire, withoutIds(writeAll(server.openStream(call, head), golden.events ?? [])))
        expect(answer).toEqual(expected)
      })
    }
  }
})

const questions: Partial<Record<CallKind, JsonObject>> = {
  chat: { messages: request.messages as Json },
  completion: { prompt: ['one', 'two'] },
}

function writeAll(writer: EventWriter, events: readonly Event[]): string {
  return events.map((event) => writer.write(event)).join('') + writer.end()
}

/** What a filter says of a prompt that it keeps back, and why. */
const kept: FaultDetail['filter'] = {
  results: {
    custom_blocklists: { filtered: true, details: [{ filtered: true, id: 'rivals' }] },
    hate: { filtered: false, severity: 'safe' },
    jailbreak: { filtered: true, detected: true },
  },
  explanations: [
    {
      source: 'Prompt',
      category: 'custom_blocklists',
      filtered: true,
      severity: 'high',
      policy: 'strict',
      engine: 'blocklist',
      id: 'rivals',
      span: { at: 'messages[0]', start: 3, end: 8 },
    },
  ],
}

/** A new fault code fails here until somebody has looked at how each surface renders it. */
describe('every fault on every surface', () => {
  const surfaces = {
    'Azure OpenAI': openaiChatServer.writeFault,
    'Azure AI Model Inference': inferenceChatServer.writeFault,
    'Anthropic Messages': anthropicMessagesServer.writeFault,
  }
  const render = (surface: string, writeFault: ServerEnd['writeFault'], code: FaultCode) => {
    const fault = new Fault(code, `why ${code}`, {
      param: 'field',
      input: 1,
      retryAfterMs: code === 'rate-limited' ? 1500 : undefined,
      ...(code === 'content-filtered' && { filter: kept }),
    })
    const { status, headers, body } = writeFault(fault, 'request-id')
    return { surface, code, status, headers, body: JSON.parse(body) }
  }
  const codes = Object.keys(faultCodes) as FaultCode[]

  test('that models are asked on', () => {
    const rendered = Object.entries(surfaces).flatMap(([surface, writeFault]) =>
      codes.map((code) => render(surface, writeFault, code)),
    )
    expect(rendered).toEqual(JSON.parse(readFileSync(join(here, 'faults.json'), 'utf8')))
  })

  test('that has shapes of its own for some', () => {
    const rendered = [
      render('Azure OpenAI images', openaiImagesServer.writeFault, 'content-filtered'),
      ...codes.map((code) => render('Azure AI Content Safety', faultWriterBelow('/contentsafety/text:analyze'), code)),
      ...codes.map((code) => render('Azure OpenAI authoring', faultWriterBelow('/openai/files/file-1'), code)),
    ]
    expect(rendered).toEqual(JSON.parse(readFileSync(join(here, 'faults-elsewhere.json'), 'utf8')))
  })
})
