import { Fault } from '../../../core/fault.ts'
import type { ClientEnd } from '../../wire.ts'
import { passClient } from '../pass-on.ts'
import { rerankWire } from './server.ts'

/** Rerank spoken to whatever has it under `/rerank`. */
export const rerankClient: ClientEnd = passClient(rerankWire, 'rerank')

const firstGeneration = ['return_documents', 'rank_fields', 'max_chunks_per_doc'] as const

/** The second generation alone, which a Foundry resource has. It would ignore what the first one knew, so that is refused. */
export const rerankSecondClient: ClientEnd = {
  ...rerankClient,
  writeCall(call, model) {
    const body = call.source?.body ?? {}
    const field =
      firstGeneration.find((name) => body[name] !== undefined && body[name] !== null) ??
      (Array.isArray(body.documents) && body.documents.some((document) => typeof document !== 'string')
        ? 'documents'
        : undefined)
    if (field === undefined) return rerankClient.writeCall(call, model)
    const why = field === 'documents' ? 'documents must be strings' : `${field} is not known`
    throw new Fault(
      'unsupported-value',
      `Invalid value for '${field}': ${why} in v2/rerank, which the backend speaks.`,
      {
        param: field,
        input: body[field],
      },
    )
  },
}
