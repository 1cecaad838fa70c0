import { openTally } from '../../../../src/core/usage/tally.ts'
import { readAnswerUsage } from '../../../../src/wire/openai-chat/client.ts'
import { readSseData } from '../../../../src/wire/sse/read-sse.ts'
import { relaySse } from '../../../../src/wire/sse/relay-sse.ts'
import { eventsPerStream, streamEvents } from '../../../load/workloads.ts'
import type { Bench } from '../../bench.ts'

const encoder = new TextEncoder()
const chunks = streamEvents.map((event) => encoder.encode(`data: ${event}\n\n`))
const commented = streamEvents.map((event) => encoder.encode(`: keep\ndata: ${event}\r\n\r\n`))

async function* each(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts
}

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}

const relay = (source: AsyncIterable<Uint8Array>) =>
  relaySse(source, { tally: openTally(), readUsage: readAnswerUsage, dropsUsage: true })

/** One event in each chunk, as a model that is slower than the network sends them. The source costs a part of it. */
function perEvent(
  name: string,
  parts: readonly Uint8Array[],
  open: (source: AsyncIterable<Uint8Array>) => AsyncIterable<unknown>,
): Bench {
  return {
    name,
    async run(times) {
      for (let done = 0; done < times; done += eventsPerStream) await drain(open(each(parts)))
    },
  }
}

export const sseRelayBenches: readonly Bench[] = [
  perEvent('an event through nothing, for comparison', chunks, (source) => source),
  perEvent('wire/sse/relay-sse: an event that is strict already', chunks, relay),
  perEvent('wire/sse/relay-sse: an event that has to be mended', commented, relay),
  perEvent('wire/sse: the data of an event', chunks, readSseData),
]
