import { isDeepStrictEqual } from 'node:util'
import { createNativeBatches } from '../../../src/backend/native-batches.ts'
import type { Deployment } from '../../../src/core/deployment.ts'
import type { NewLine } from '../../../src/port/tables/batches/port.ts'
import { readEndpoint } from '../../../src/service/batches/endpoints.ts'
import { checkLine } from '../../../src/service/batches/input/check-line.ts'
import { estimateTokens } from '../../../src/service/batches/input/estimate-tokens.ts'
import { createLineJudge } from '../../../src/service/batches/input/judge-lines.ts'
import { beginProgress, readProgress, writeProgress } from '../../../src/service/batches/input/progress.ts'
import { createLineSplitter } from '../../../src/service/batches/input/split-lines.ts'
import { messageBatchEnd } from '../../../src/wire/anthropic-messages/batches.ts'
import { openaiBatchEnd } from '../../../src/wire/openai-chat/batches.ts'
import { openaiChatClient } from '../../../src/wire/openai-chat/client.ts'
import type { BatchEnd } from '../../../src/wire/wire.ts'
import { showBytes } from '../findings.ts'
import { mutateBytes, mutateJson, writeJson } from '../json-text.ts'
import type { Complaint } from '../oracle.ts'
import { createRandom, deriveSeed, type Random } from '../random.ts'
import type { Suite, Tried } from '../suite.ts'

/**
 * Hostile inputs of batches, and hostile results of upstreams that run them: an input gets the same verdict in whatever pieces it comes
 * and wherever its reading is begun again, each mistake has its line, and what is accepted is what was written there; of a result nothing
 * is believed that is not there.
 */
export function openBatchesSuite(): Suite {
  return {
    kind: 'batches',
    lanes: 1,
    tryCase: async (seed, _lane, keep) =>
      createRandom(seed).chance(0.3) ? tryResult(deriveSeed(seed, 1)) : tryInput(deriveSeed(seed, 2), keep),
    look: () => [],
    finish: async () => [],
    close: async () => {},
  }
}

const deployments = ['gpt', 'other'].map(
  (name) => ({ name, kinds: new Set(['chat']) }) as Partial<Deployment> as Deployment,
)
const findDeployment = (name: string) => deployments.find((one) => one.name === name.toLowerCase())
const endpoint = readEndpoint('/chat/completions')

type Settings = { readonly maxLines: number; readonly maxLineBytes: number; readonly maxProblems: number }

/** Lines are the parts that can be left out. */
function tryInput(seed: number, keep: ReadonlySet<number> | undefined): Tried {
  const random = createRandom(seed)
  const settings: Settings = {
    maxLines: random.pick([2, 5, 1_000]),
    maxLineBytes: random.pick([160, 300, 100_000]),
    maxProblems: random.pick([1, 3, 100]),
  }
  const lines = Array.from({ length: random.int(0, 12) }, (_, i) => drawLine(createRandom(deriveSeed(seed, i))))
  const kept = lines.filter((_, i) => !keep || keep.has(i))
  let input = Buffer.concat(
    kept.flatMap((line) => [line, Buffer.from(random.chance(0.9) ? '\n' : random.pick(['\r\n', '\n\n', '\r', '']))]),
  )
  if (random.chance(0.1)) input = Buffer.concat([Buffer.from('\ufeff'), input])
  const complaints: Complaint[] = []
  let end = 'thrown'
  try {
    const whole = judge(input, [input.length], settings)
    end = whole.problems.length > 0 ? 'refused' : whole.lines.length > 0 ? 'accepted' : 'empty'
    complaints.push(...judgeVerdict(whole, input, settings))
    const cuts = Array.from({ length: random.int(1, 40) }, () => random.int(0, input.length)).sort((a, b) => a - b)
    for (const [name, other] of [
      ['in pieces', judge(input, cuts, settings)],
      ['read on from where it was left', judge(input, cuts, settings, true)],
    ] as const) {
      if (!isDeepStrictEqual(other, whole)) {
        complaints.push({
          name: `another verdict ${name}`,
          detail: `${JSON.stringify(whole)}\n${JSON.stringify(other)}`,
        })
      }
    }
  } catch (error) {
    complaints.push(describeThrow(error))
  }
  return {
    complaints,
    ends: [end],
    names: lines.map((line) => showBytes(line.subarray(0, 60))),
    input: `${JSON.stringify(settings)}\n${showBytes(input)}`,
    seen: end,
  }
}

function describeThrow(error: unknown): Complaint {
  const { message, stack = '' } = error as Error
  return { name: `it throws: ${message.slice(0, 80)}`, detail: stack }
}

const odd = [
  '',
  ' ',
  '\0',
  '\ud800',
  '__proto__',
  'é',
  'x'.repeat(513),
  '🙂',
  'a\nb',
  '"',
  "'; drop table batch; --",
  5,
  null,
  [],
  {},
]

function drawLine(random: Random): Buffer {
  const body = {
    model: random.chance(0.97) ? 'gpt' : random.pick(['GPT', 'other', 'none', ...odd]),
    messages: [{ role: 'user', content: 'hi' }],
  }
  const line: Record<string, unknown> = {
    custom_id: random.chance(0.95) ? `task-${random.int(0, 200)}` : random.pick(odd),
    method: random.chance(0.98) ? 'POST' : random.pick(['GET', 'post', ...odd]),
    url: random.chance(0.96)
      ? random.pick(['/chat/completions', '/v1/chat/completions'])
      : random.pick(['/embeddings', '/v1//chat/completions', '//', ...odd]),
    body,
  }
  if (random.chance(0.05)) Object.assign(body, { stream: random.pick([true, false, null, 'true']) })
  if (random.chance(0.02))
    return Buffer.from(`{"custom_id":"deep","body":${'['.repeat(random.pick([10, 400, 60_000]))}`)
  const value = random.chance(0.1) ? mutateJson(line, random) : line
  const bytes = Buffer.from(writeJson(value))
  return random.chance(0.05) ? mutateBytes(bytes, random) : bytes
}

type Verdict = {
  readonly lines: readonly NewLine[]
  readonly problems: ReturnType<typeof beginProgress>['problems']
  readonly total: number
  readonly tokens: number
  readonly model: string | undefined
}

/** As validation reads an input; `begins` again at every cut, from what would have been noted there. */
function judge(input: Buffer, cuts: readonly number[], settings: Settings, begins = false): Verdict {
  let progress = beginProgress(input.length)
  let judgeLines = createLineJudge({ progress, endpoint, settings, findDeployment })
  let splitter = createLineSplitter(progress, settings.maxLineBytes)
  const added: NewLine[] = []
  let at = 0
  for (const cut of [...cuts, input.length]) {
    if (begins) {
      progress = readProgress(JSON.parse(JSON.stringify(writeProgress(progress)))) as typeof progress
      judgeLines = createLineJudge({ progress, endpoint, settings, findDeployment })
      splitter = createLineSplitter(progress, settings.maxLineBytes)
      at = progress.offset
    }
    if (judgeLines.isOver()) break
    const lines = splitter.push(input.subarray(at, cut))
    at = cut
    for (const line of lines) {
      const one = judgeLines.judge(line)
      if (one) added.push(one)
    }
  }
  for (const line of judgeLines.isOver() ? [] : splitter.end()) {
    const one = judgeLines.judge(line)
    if (one) added.push(one)
  }
  const { problems, total, tokens, model } = progress
  return { lines: added, problems, total, tokens, model }
}

function judgeVerdict({ lines, problems, total, tokens }: Verdict, input: Buffer, settings: Settings): Complaint[] {
  const found: Complaint[] = []
  const note = (name: string, detail: unknown): void => void found.push({ name, detail: JSON.stringify(detail) })
  const breaks = input.filter((byte) => byte === 0x0a).length
  for (const problem of problems) {
    if (problem.line === null || problem.line < 1 || problem.line > breaks + 1)
      note('a mistake without its line', problem)
    if (problem.message.trim() === '' || /undefined|\[object|NaN/.test(problem.message.replace(/"[^"]*"/g, '')))
      note('a mistake that tells of the code', problem)
    if (!problem.message.isWellFormed()) note('a mistake in half characters', problem)
  }
  // The byte order mark is a mistake of its own, beside that of its line.
  if (problems.length > settings.maxProblems + 1) note('more mistakes than are told', problems.length)
  if (lines.length > settings.maxLines || total > settings.maxLines) note('more lines than may be', { total })
  if (!Number.isSafeInteger(tokens) || tokens < 0) note('no count of tokens', tokens)
  for (const line of lines) {
    const bytes = input.subarray(line.start, line.start + line.bytes)
    const checked = checkLine(bytes, endpoint)
    if ('problem' in checked)
      note('an accepted line is none where it is said to be', { line, problem: checked.problem })
    else {
      if (checked.task.customId !== line.customId) note('an accepted line has another custom_id', line)
      if (estimateTokens(checked.task.body) < 1) note('a line that holds nothing of the quota', line)
    }
    if (line.bytes > settings.maxLineBytes) note('an accepted line is too long', line)
  }
  return found
}

const ends: readonly (readonly [BatchEnd, unknown])[] = [
  [
    openaiBatchEnd,
    { id: 'r', custom_id: 'a', response: { status_code: 200, request_id: 'q', body: { choices: [] } }, error: null },
  ],
  [openaiBatchEnd, { custom_id: 'a', response: null, error: { code: 'batch_expired', message: 'Late.' } }],
  [messageBatchEnd, { custom_id: 'a', result: { type: 'succeeded', message: { id: 'm', content: [] } } }],
  [
    messageBatchEnd,
    { custom_id: 'a', result: { type: 'errored', error: { type: 'error', error: { type: 'x', message: 'y' } } } },
  ],
  [messageBatchEnd, { custom_id: 'a', result: { type: 'expired' } }],
]
const batches: readonly (readonly [BatchEnd, unknown])[] = [
  [
    openaiBatchEnd,
    {
      id: 'b',
      status: 'failed',
      errors: { data: [{ code: 'x', message: 'y' }] },
      request_counts: { total: 1 },
      metadata: { ponto_batch: 't' },
      input_file_id: 'f',
      output_file_id: 'o',
      created_at: 5,
    },
  ],
  [
    messageBatchEnd,
    { id: 'b', processing_status: 'ended', request_counts: { succeeded: 1 }, created_at: '2026-01-01T00:00:00Z' },
  ],
]

function readLine(end: BatchEnd, text: string) {
  const { readLine: read } = createNativeBatches({
    home: '',
    end,
    findClient: () => undefined,
    readFault: openaiChatClient.readFault,
    pathTo: (below) => below,
    headers: {},
    credential: undefined,
    model: 'm',
    transport: { request: () => Promise.reject(new Error('nothing is asked here')), close() {} },
  })
  return read(text)
}

/** What an upstream says of a line or a batch, changed in any way. */
function tryResult(seed: number): Tried {
  const random = createRandom(seed)
  const isBatch = random.chance(0.4)
  const [end, said] = random.pick(isBatch ? batches : ends)
  const text = writeJson(mutateJson(said, random))
  const complaints: Complaint[] = []
  const note = (name: string, detail: unknown): void =>
    void complaints.push({ name, detail: `${JSON.stringify(detail)}` })
  let seen = 'no JSON'
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      const read = isBatch ? end.readBatch(value as never) : readLine(end, text)
      seen = read === undefined ? 'nothing' : 'read'
      if (read && 'name' in read) {
        const isAnswer = read.status === undefined || Number.isFinite(read.status)
        if (typeof read.name !== 'string' || typeof read.body !== 'string' || !isAnswer)
          note('a result that is none', read)
        if (read.status !== undefined) JSON.parse(read.body)
      } else if (read) {
        const names = [read.id, ...read.results, ...read.files]
        if (names.some((name) => typeof name !== 'string' || name === ''))
          note('a batch with a name that is none', read)
        if (read.state === 'failed' && typeof read.reason !== 'string') note('a failure without a reason', read)
        if (read.createdAt !== undefined && !Number.isFinite(read.createdAt)) note('a time that is none', read)
        for (const name of names) {
          const path = end.resultPath(name)
          if (!/^\/[\x21-\x7e]*$/.test(path) || /[?#]/.test(path)) note('a path that a name has broken', path)
        }
      }
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) complaints.push(describeThrow(error))
  }
  return { complaints, ends: [`result: ${seen}`], names: [], input: text.slice(0, 3000), seen }
}
