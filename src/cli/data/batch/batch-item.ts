import type { CommandContext } from '../../context.ts'
import { shorten } from '../../terminal/excerpt.ts'
import { type Column, printFacts } from '../../terminal/print.ts'
import { formatCount } from '../../terminal/units.ts'
import { formatUnix } from '../file/file-item.ts'

/** A batch as the data plane shows it; times are unix seconds. */
export type BatchItem = {
  readonly id: string
  readonly status: string
  readonly endpoint: string
  readonly model?: string
  readonly input_file_id: string
  readonly output_file_id: string | null
  readonly error_file_id: string | null
  readonly errors: { readonly data: readonly BatchProblem[] } | null
  readonly request_counts: { readonly total: number; readonly completed: number; readonly failed: number }
  readonly usage?: { readonly input_tokens: number; readonly output_tokens: number }
  readonly created_at: number
  readonly expires_at: number | null
  readonly completed_at: number | null
  readonly failed_at: number | null
  readonly expired_at: number | null
  readonly cancelled_at: number | null
}

export type BatchProblem = { readonly code: string; readonly message: string; readonly line: number | null }

const endedStates: ReadonlySet<string> = new Set(['completed', 'failed', 'expired', 'cancelled'])
const mostProblems = 20
const problemChars = 500

export function hasEnded({ status }: BatchItem): boolean {
  return endedStates.has(status)
}

/** 0 when all lines are answered, 3 when some of them failed, 1 when the batch did not come to its end. */
export function exitCodeOf({ status, request_counts: counts }: BatchItem): 0 | 1 | 3 {
  if (status !== 'completed') return 1
  return counts.failed > 0 ? 3 : 0
}

export const batchColumns: readonly Column<BatchItem>[] = [
  { title: 'id', read: (batch) => batch.id },
  { title: 'status', read: (batch) => batch.status },
  { title: 'model', read: (batch) => batch.model ?? '', isOptional: true },
  { title: 'lines', read: ({ request_counts: counts }) => formatCount(counts.total) },
  { title: 'done', read: ({ request_counts: counts }) => formatCount(counts.completed) },
  { title: 'failed', read: ({ request_counts: { failed } }) => (failed ? formatCount(failed) : ''), isOptional: true },
  { title: 'created', read: (batch) => formatUnix(batch.created_at) },
  { title: 'ended', read: (batch) => formatUnix(endOf(batch)), isOptional: true },
]

function endOf(batch: BatchItem): number | null {
  return batch.completed_at ?? batch.failed_at ?? batch.expired_at ?? batch.cancelled_at
}

export function showBatch(context: CommandContext, batch: BatchItem): Promise<void> {
  const { request_counts: counts, usage } = batch
  const problems = batch.errors?.data ?? []
  const left = problems.length - mostProblems
  return printFacts(context, batch, [
    ['Id', batch.id],
    ['Status', batch.status],
    ['Endpoint', batch.endpoint],
    ...(batch.model ? [['Deployment', batch.model] as const] : []),
    [
      'Lines',
      `${formatCount(counts.total)}, ${formatCount(counts.completed)} done, ${formatCount(counts.failed)} failed`,
    ],
    ...(usage && usage.input_tokens + usage.output_tokens > 0
      ? [['Tokens', `${formatCount(usage.input_tokens)} in, ${formatCount(usage.output_tokens)} out`] as const]
      : []),
    ['Input file', batch.input_file_id],
    ...(batch.output_file_id ? [['Output file', batch.output_file_id] as const] : []),
    ...(batch.error_file_id ? [['Error file', batch.error_file_id] as const] : []),
    ['Created', formatUnix(batch.created_at)],
    ...(hasEnded(batch)
      ? [['Ended', formatUnix(endOf(batch))] as const]
      : [['Window', describeWindow(batch)] as const]),
    ...problems.slice(0, mostProblems).map((problem) => ['Error', describeProblem(problem)] as const),
    ...(left > 0 ? [['Errors', `and ${left} more: --output json`] as const] : []),
  ])
}

function describeWindow({ expires_at: expiresAt }: BatchItem): string {
  return expiresAt ? `ends ${formatUnix(expiresAt)}` : 'none'
}

function describeProblem({ code, message, line }: BatchProblem): string {
  const text = shorten(message, problemChars)
  return `${line ? `line ${line}: ` : ''}${text} (${code})`
}
