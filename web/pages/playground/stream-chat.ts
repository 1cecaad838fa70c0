import { portalHeaders, readError } from '../../api/request.ts'

export type ChatMessage = { readonly role: 'system' | 'user' | 'assistant'; readonly content: string }

/** What a content filter said about a prompt or an answer: by category, `{ filtered, severity?, detected? }`. */
export type Annotations = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** An answer as far as it has come. Times are milliseconds since it was asked for. */
export type Answer = {
  readonly text: string
  readonly raw: string
  readonly finishReason: string | undefined
  readonly promptTokens: number | undefined
  readonly completionTokens: number | undefined
  readonly firstTokenMs: number | undefined
  readonly totalMs: number | undefined
  readonly promptFilter: Annotations | undefined
  readonly answerFilter: Annotations | undefined
  readonly requestId: string | undefined
}

const nothingYet: Answer = {
  text: '',
  raw: '',
  finishReason: undefined,
  promptTokens: undefined,
  completionTokens: undefined,
  firstTokenMs: undefined,
  totalMs: undefined,
  promptFilter: undefined,
  answerFilter: undefined,
  requestId: undefined,
}

type Chunk = {
  readonly choices?: readonly {
    readonly delta?: { readonly content?: string | null }
    readonly finish_reason?: string | null
    readonly content_filter_results?: Annotations
  }[]
  readonly usage?: { readonly prompt_tokens?: number; readonly completion_tokens?: number } | null
  readonly prompt_filter_results?: readonly { readonly content_filter_results?: Annotations }[]
  readonly error?: { readonly message?: string }
}

/**
 * Asks for a chat and tells the answer as it comes, each time whole. Rejects with ApiError for a refusal, with an Error for a stream that breaks
 * off or tells of one.
 */
export async function streamChat(body: object, signal: AbortSignal, onAnswer: (answer: Answer) => void): Promise<void> {
  const startedAt = performance.now()
  const elapsed = () => performance.now() - startedAt
  const response = await fetch('/portal/chat', {
    method: 'POST',
    headers: { ...portalHeaders, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal,
  })
  if (!response.ok) throw await readError(response)
  let answer: Answer = { ...nothingYet, requestId: response.headers.get('x-request-id') ?? undefined }
  let isOver = false
  for await (const text of readPieces(response)) {
    answer = { ...answer, raw: answer.raw + text.raw }
    for (const data of text.events) {
      if (data === '[DONE]') isOver = true
      else answer = addChunk(answer, JSON.parse(data) as Chunk, elapsed())
    }
    onAnswer(answer)
  }
  onAnswer({ ...answer, totalMs: elapsed() })
  if (!isOver) throw new Error('The stream broke off before it was whole.')
}

function addChunk(answer: Answer, chunk: Chunk, ms: number): Answer {
  if (chunk.error) throw new Error(chunk.error.message ?? 'The stream ended with an error.')
  const choice = chunk.choices?.[0]
  const added = choice?.delta?.content ?? ''
  return {
    ...answer,
    text: answer.text + added,
    firstTokenMs: answer.firstTokenMs ?? (added === '' ? undefined : ms),
    finishReason: choice?.finish_reason ?? answer.finishReason,
    promptTokens: chunk.usage?.prompt_tokens ?? answer.promptTokens,
    completionTokens: chunk.usage?.completion_tokens ?? answer.completionTokens,
    promptFilter: chunk.prompt_filter_results?.[0]?.content_filter_results ?? answer.promptFilter,
    answerFilter: mergeAnnotations(answer.answerFilter, choice?.content_filter_results),
  }
}

/** Later ones are about more of the answer, and win. */
function mergeAnnotations(before: Annotations | undefined, added: Annotations | undefined): Annotations | undefined {
  return added && Object.keys(added).length > 0 ? { ...before, ...added } : before
}

/** The data of whole events, and the text that they came in. */
async function* readPieces(response: Response): AsyncGenerator<{ raw: string; events: readonly string[] }> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  while (reader) {
    const { done, value } = await reader.read()
    if (done) return
    const parts = (rest + value).split(/\r?\n\r?\n/)
    rest = parts.pop() ?? ''
    const events = parts.flatMap((part) => {
      const lines = part.split(/\r?\n/).filter((line) => line.startsWith('data:'))
      return lines.length > 0 ? [lines.map((line) => line.slice(5).trimStart()).join('\n')] : []
    })
    yield { raw: value, events }
  }
}
