import { describe, expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../../src/core/fault.ts'
import { type FaultCode, faultCodes } from '../../src/core/fault-codes.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { inferenceChatServer } from '../../src/wire/azure-inference/chat-server.ts'
import { inferenceChatClient } from '../../src/wire/azure-inference/client.ts'
import { openaiChatClient } from '../../src/wire/openai-chat/client.ts'
import { openaiChatServer } from '../../src/wire/openai-chat/server.ts'
import { readSseData } from '../../src/wire/sse.ts'
import type { ClientEnd, ServerEnd } from '../../src/wire/wire.ts'

/**
 * Cases as data: what comes in at one wire and what must come out at another. Every detail that ever got lost gets one.
 * `chat/`: a request body and what it becomes upstream. `streams/`: an upstream's stream and what the caller reads.
 */

const here = import.meta.dir
const servers: Record<string, ServerEnd> = {
  'openai-chat': openaiChatServer,
  'azure-inference-chat': inferenceChatServer,
}
const clients: Record<string, ClientEnd> = {
  'openai-chat': openaiChatClient,
  'azure-inference-chat': inferenceChatClient,
}

type ChatCase = {
  readonly from: string
  readonly headers?: Record<string, string>
  readonly body: JsonObject
  readonly to: Record<string, { readonly body: JsonObject; readonly headers?: Record<string, string> }>
}

describe('requests', () => {
  for (const file of readdirSync(join(here, 'chat'))) {
    const golden: ChatCase = JSON.parse(readFileSync(join(here, 'chat', file), 'utf8'))
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

type StreamCase = {
  readonly wire: string
  readonly request: JsonObject
  readonly chunks: JsonObject[]
  readonly to: Record<string, JsonObject[]>
}

async function* asBody(chunks: readonly JsonObject[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield new TextEncoder().encode(`data: ${JSON.stringify(chunk)}\n\n`)
  yield new TextEncoder().encode('data: [DONE]\n\n')
}

describe('streams', () => {
  for (const file of readdirSync(join(here, 'streams'))) {
    const golden: StreamCase = JSON.parse(readFileSync(join(here, 'streams', file), 'utf8'))
    for (const [wire, expected] of Object.entries(golden.to)) {
      test(`${file}: ${golden.wire} to ${wire}`, async () => {
        const server = servers[wire] as ServerEnd
        const call = server.readCall({ text: '', body: golden.request, header: () => null })
        const writer = server.openStream(call, { requestId: 'r', servedModel: 'served', created: 1 })
        let text = ''
        const events = (clients[golden.wire] as ClientEnd).readEvents(readSseData(asBody(golden.chunks)), call)
        for await (const event of events) text += writer.write(event)
        const payloads = (text + writer.end()).split('\n\n').filter(Boolean)
        expect(payloads.pop()).toBe('data: [DONE]')
        expect(payloads.map((payload) => JSON.parse(payload.slice('data: '.length)))).toEqual(expected)
      })
    }
  }
})

/** A new fault code fails here until somebody has looked at how each surface renders it. */
test('every fault on every surface', () => {
  const surfaces = { 'Azure OpenAI': openaiChatServer, 'Azure AI Model Inference': inferenceChatServer }
  const rendered = Object.entries(surfaces).flatMap(([surface, end]) =>
    (Object.keys(faultCodes) as FaultCode[]).map((code) => {
      const fault = new Fault(code, `why ${code}`, {
        param: 'field',
        input: 1,
        retryAfterMs: code === 'rate-limited' ? 1500 : undefined,
      })
      const { status, headers, body } = end.writeFault(fault, 'request-id')
      return { surface, code, status, headers, body: JSON.parse(body) }
    }),
  )
  const golden = JSON.parse(readFileSync(join(here, 'faults.json'), 'utf8'))
  expect(rendered).toEqual(golden)
})
