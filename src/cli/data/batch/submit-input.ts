import { Fault } from '../../../core/fault.ts'
import type { CommandContext } from '../../context.ts'
import { openDataClient } from '../data-client.ts'
import { requireFile } from '../file/local-file.ts'
import { uploadFile } from '../file/upload-file.ts'
import type { BatchItem } from './batch-item.ts'
import { prepareInput } from './prepare-input.ts'

export type Submission = {
  readonly file: string
  readonly deployment: string | undefined
  readonly endpoint: string
}

/** Checks a file of requests, uploads it and makes a batch of it. A batch that is refused leaves no file behind. */
export async function submitInput(
  context: CommandContext,
  { file, deployment, endpoint }: Submission,
): Promise<BatchItem> {
  if (!/\.jsonl$/i.test(file)) {
    throw new Fault('invalid-request', `${file} must be a file whose name ends in .jsonl, with a request on each line.`)
  }
  await requireFile(file)
  const { size, content } = await prepareInput(file, deployment)
  const client = await openDataClient(context)
  const { id } = await uploadFile(context, client, { path: file, size, purpose: 'batch', content: content?.() })
  try {
    const body = { input_file_id: id, endpoint, completion_window: '24h' }
    return await client.call<BatchItem>('batches', { method: 'POST', body })
  } catch (error) {
    // A refusal is certain; of a connection that broke nobody knows whether there is a batch now, which needs the file.
    if (error instanceof Fault && (error.detail.status ?? 500) < 500) {
      await client.call(`files/${id}`, { method: 'DELETE' }).catch(() => {})
    }
    throw error
  }
}
