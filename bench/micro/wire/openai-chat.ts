import { openaiChatClient } from '../../../src/wire/openai-chat/client.ts'
import { openaiChatServer } from '../../../src/wire/openai-chat/server.ts'
import type { AnswerHead, CallInput } from '../../../src/wire/wire.ts'
import { answerBody, eventsPerStream, streamEvents, writeRequestBody } from '../../load/workloads.ts'
import type { Bench } from '../bench.ts'

const text = writeRequestBody('Bench-chat', true)
const input: CallInput = { text, body: JSON.parse(text), header: () => null }
const call = openaiChatServer.readCall(input)
const head: AnswerHead = { requestId: 'bench', servedModel: 'bench', created: 1 }

async function* payloads(): AsyncGenerator<string> {
  yield* streamEvents
}

export const openaiChatBenches: readonly Bench[] = [
  {
    name: 'JSON.parse of the 1.1 kB request, for comparison',
    run(times) {
      for (let i = 0; i < times; i++) JSON.parse(text)
    },
  },
  {
    name: 'wire/openai-chat: read a parsed request (zod and all)',
    run(times) {
      for (let i = 0; i < times; i++) openaiChatServer.readCall(input)
    },
  },
  {
    name: 'wire/openai-chat: parse, read and write a whole answer',
    run(times) {
      for (let i = 0; i < times; i++) {
        openaiChatServer.writeResult(openaiChatClient.readResult(JSON.parse(answerBody), call), call, head)
      }
    },
  },
  {
    name: 'wire/openai-chat: read and write an event (crossing)',
    async run(times) {
      for (let done = 0; done < times; done += eventsPerStream) {
        const writer = openaiChatServer.openStream(call, head)
        for await (const event of openaiChatClient.readEvents(payloads(), call)) writer.write(event)
        writer.end()
      }
    },
  },
]
