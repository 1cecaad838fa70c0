import { z } from 'zod'
import type { Fault } from '../../../core/fault.ts'
import { readModelName } from '../../azure-inference/extra-parameters.ts'
import { writeOpenAIFault } from '../../faults/openai-fault.ts'
import type { FaultBody, ServerEnd } from '../../wire.ts'
import { passServer } from '../pass-on.ts'

export const rerankWire = 'rerank'

/** Both generations of the protocol: what only one has is for the upstream to judge. */
const rerankBodySchema = z.looseObject({
  model: z.string().nullish(),
  query: z.string(),
  documents: z.array(z.union([z.string(), z.looseObject({})])).min(1),
  top_n: z.int().min(1).nullish(),
  return_documents: z.boolean().nullish(),
  rank_fields: z.array(z.string()).nullish(),
  max_chunks_per_doc: z.int().min(1).nullish(),
  max_tokens_per_doc: z.int().min(1).nullish(),
})

/** Cohere's rerank, where serverless endpoints, Foundry resources and vLLM have it. A serverless endpoint needs no model. */
export const rerankServer: ServerEnd = passServer({
  wire: rerankWire,
  kind: 'rerank',
  routes: [
    { method: 'POST', path: '/v1/rerank', apiVersion: 'optional' },
    { method: 'POST', path: '/v2/rerank', apiVersion: 'optional' },
    { method: 'POST', path: '/providers/cohere/v2/rerank', apiVersion: 'optional' },
  ],
  schema: rerankBodySchema,
  readDeployment: readModelName,
  writeFault: writeRerankFault,
})

/** Clients of this protocol read `message` at the top, those of vLLM `error`. */
function writeRerankFault(fault: Fault, requestId: string): FaultBody {
  const answer = writeOpenAIFault(fault, requestId)
  const message = fault.publicMessage(requestId)
  return { ...answer, body: JSON.stringify({ message, ...JSON.parse(answer.body) }) }
}
