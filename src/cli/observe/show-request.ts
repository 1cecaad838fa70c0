import type { RequestView } from '../../control/api.ts'
import type { CommandContext } from '../context.ts'
import { makeHarmless } from '../terminal/excerpt.ts'
import { dim, printData } from '../terminal/print.ts'
import { formatBytes, formatCount } from '../terminal/units.ts'
import { explainDecisions, explainEnd, wayOut } from './explain.ts'

type Span = { readonly name: string; readonly from: number; readonly to: number; readonly note?: string }

const barWidth = 40

/** One request for people: facts, what took how long, what was decided, what was sent, and what was said where it is kept. */
export async function showRequest(context: CommandContext, request: RequestView): Promise<void> {
  if (await printData(context, request)) return
  const write = (text: string) => void context.stdout.write(`${text}\n`)
  const facts = listFacts(request)
  const width = Math.max(...facts.map(([label]) => label.length))
  for (const [label, text] of facts) write(`${dim(context, label.padEnd(width))}  ${makeHarmless(text)}`)
  section('Time', drawWaterfall(listSpans(request), request.timings.totalMs))
  const end = explainEnd(request)
  const way = wayOut(request)
  section('Decisions', explainDecisions(request))
  section('End', [...(end ? [end] : []), ...(way ? [way] : [])])
  section('Sent upstream', describeSent(request))
  section('Prompt', describeContent(request.content?.prompt))
  section('Answer', describeContent(request.content?.answer))
  section('Body sent upstream', describeContent(request.content?.sent))
  if (request.content?.isCut) write(dim(context, 'What was said is longer than is kept.'))
  if (request.isContentWithheld) write(dim(context, 'Prompt or answer are kept, but your role may not read them.'))

  function section(title: string, lines: readonly string[]): void {
    if (lines.length === 0) return
    write('')
    write(dim(context, title))
    for (const line of lines) write(`  ${line}`)
  }
}

function listFacts(request: RequestView): (readonly [string, string])[] {
  const { tokens, caller, callerKind, address, deployment, asked, spilledFrom, model, modelVersion } = request
  const isAnother = asked !== undefined && asked.toLowerCase() !== deployment?.toLowerCase()
  return [
    ['Request', request.id],
    ['Time', request.time],
    ['Status', `${request.status}${request.code ? ` ${request.code}` : ''}, ${request.outcome}`],
    [
      'Caller',
      [caller, callerKind === 'token' ? 'by token' : '', address && `from ${address}`].filter(Boolean).join(' '),
    ],
    [
      'Asked',
      `${request.method} ${request.path}${request.isStream ? ', streamed' : ''}${request.isBatch ? ', a line of a batch' : ''}`,
    ],
    ...fact('Resource', request.resource),
    ...fact('Deployment', deployment && `${deployment}${isAnother ? ` (asked for: ${spilledFrom ?? asked})` : ''}`),
    ...fact('Model', model && `${model} ${modelVersion ?? ''}`.trim()),
    ...fact('Tier', request.tier),
    ...fact('Tokens', tokens && describeTokens(tokens)),
    ['Size', `${formatBytes(request.requestBytes)} in, ${formatBytes(request.responseBytes)} out`],
    ...fact('Client id', request.clientRequestId),
    ...fact('Trace', request.traceId),
  ]
}

function fact(label: string, text: string | undefined): (readonly [string, string])[] {
  return text ? [[label, text]] : []
}

function describeTokens({
  prompt,
  cached,
  completion,
  reasoning,
  isEstimated,
}: NonNullable<RequestView['tokens']>): string {
  const parts = [
    `${formatCount(prompt)} of prompt${cached > 0 ? ` (${formatCount(cached)} cached)` : ''}`,
    `${formatCount(completion)} of answer${reasoning > 0 ? ` (${formatCount(reasoning)} to think)` : ''}`,
  ]
  return `${parts.join(', ')}${isEstimated ? ', estimated' : ''}`
}

/** What came after what, in milliseconds since the request came. */
export function listSpans({ timings, attempts = [], isStream }: RequestView): Span[] {
  const { queueMs = 0, upstreamMs, firstTokenMs, totalMs } = timings
  const first = attempts[0]?.startedMs ?? totalMs
  const spans: Span[] = [
    {
      name: 'before any backend',
      from: 0,
      to: first,
      ...(queueMs > 0 && { note: `${queueMs} ms of it waiting for a place` }),
    },
    ...attempts.map(({ backend, startedMs, ms, status, code }) => ({
      name: backend,
      from: startedMs,
      to: ms < 0 ? totalMs : startedMs + ms,
      note: [status > 0 ? String(status) : '', code ?? ''].filter(Boolean).join(' '),
    })),
  ]
  const began = upstreamMs ?? totalMs
  if (isStream && firstTokenMs !== undefined) {
    spans.push({ name: 'until the first piece', from: began, to: firstTokenMs })
    spans.push({ name: 'stream', from: firstTokenMs, to: totalMs })
  } else if (upstreamMs !== undefined) spans.push({ name: 'reading and answering', from: began, to: totalMs })
  return spans
}

export function drawWaterfall(spans: readonly Span[], totalMs: number): string[] {
  const width = Math.max(...spans.map(({ name }) => name.length))
  const scale = barWidth / Math.max(totalMs, 0.1)
  const lines = spans.map(({ name, from, to, note }) => {
    const start = Math.min(barWidth - 1, Math.round(from * scale))
    const length = Math.max(1, Math.min(barWidth - start, Math.round((to - from) * scale)))
    const bar = `${' '.repeat(start)}${'#'.repeat(length)}`.padEnd(barWidth)
    const ms = (to - from).toFixed(1).padStart(9)
    return `${makeHarmless(name).padEnd(width)}  |${bar}| ${ms} ms${note ? `  ${note}` : ''}`
  })
  return [...lines, `${'in all'.padEnd(width)}   ${' '.repeat(barWidth)}  ${totalMs.toFixed(1).padStart(9)} ms`]
}

function describeSent({ sent, sentBytes, isCaptured }: RequestView): string[] {
  if (!sent) return []
  const headers = Object.entries(sent.headers).map(([name, value]) => makeHarmless(`${name}: ${value}`))
  const fields = sent.fields ? `, with the fields ${sent.fields.join(', ')}` : ''
  const body = sentBytes === undefined ? [] : [makeHarmless(`A body of ${formatBytes(sentBytes)}${fields}.`)]
  const hint = isCaptured ? [] : ['What stands in it is kept only where the deployment captures prompts.']
  return [makeHarmless(`${sent.method} ${sent.url}`), ...headers, ...body, ...(body.length > 0 ? hint : [])]
}

/** JSON is laid out; texts of strangers do nothing to the terminal. */
function describeContent(text: string | undefined): string[] {
  if (text === undefined || text === '') return []
  let shown = text
  try {
    shown = JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    // It was cut, or is none.
  }
  return shown.split('\n').map((line) => line.replace(/\S.*/, makeHarmless))
}
