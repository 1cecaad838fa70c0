import type { JsonObject } from '../../core/json.ts'
import type { BatchRow } from '../../port/tables/batches/port.ts'

const seconds = (ms: number | undefined): number | null => (ms === undefined ? null : Math.floor(ms / 1000))

/** As OpenAI and Azure OpenAI show a batch: times are unix seconds, and what is not there yet is null. */
export function writeBatch(batch: BatchRow): JsonObject & { id: string } {
  const { deployment, errors, tokens } = batch
  return {
    object: 'batch',
    id: batch.id,
    endpoint: batch.endpoint,
    ...(deployment !== undefined && { model: deployment }),
    errors: errors === undefined ? null : { object: 'list', data: [...errors] },
    input_file_id: batch.inputFileId,
    completion_window: batch.completionWindow,
    status: batch.status,
    output_file_id: batch.outputFileId ?? null,
    error_file_id: batch.errorFileId ?? null,
    created_at: seconds(batch.createdAt),
    in_progress_at: seconds(batch.inProgressAt),
    expires_at: seconds(batch.expiresAt),
    finalizing_at: seconds(batch.finalizingAt),
    completed_at: seconds(batch.completedAt),
    failed_at: seconds(batch.failedAt),
    expired_at: seconds(batch.expiredAt),
    cancelling_at: seconds(batch.cancellingAt),
    cancelled_at: seconds(batch.cancelledAt),
    request_counts: { total: batch.total, completed: batch.completed, failed: batch.failed },
    usage: {
      input_tokens: tokens.input,
      input_tokens_details: { cached_tokens: tokens.cached },
      output_tokens: tokens.output,
      output_tokens_details: { reasoning_tokens: tokens.reasoning },
      total_tokens: tokens.input + tokens.output,
    },
    metadata: batch.metadata ?? null,
  }
}
