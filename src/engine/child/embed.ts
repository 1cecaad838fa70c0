import type { LlamaEmbeddingContext, LlamaModel, Token } from 'node-llama-cpp'
import type { EmbedCall } from '../../core/call.ts'
import { Fault } from '../../core/fault.ts'
import type { Usage } from '../../core/usage/usage.ts'
import type { LoadedModel } from './model.ts'
import { checkContext, readIds } from './tokenize.ts'

export type Embedder = (
  call: EmbedCall,
  signal: AbortSignal,
) => Promise<{ readonly vectors: Float32Array[]; readonly usage: Usage }>

/** Makes vectors of length 1 from the model's own hidden states. The memory for it is taken at the first call. */
export function createEmbedder(loaded: LoadedModel): Embedder {
  let context: Promise<LlamaEmbeddingContext> | undefined
  return async (call, signal) => {
    const { model, info, options } = loaded
    const dimensions = call.dimensions ?? info.embeddingSize
    if (dimensions > info.embeddingSize) {
      throw new Fault(
        'unsupported-value',
        `This model's vectors have ${info.embeddingSize} dimensions; ${dimensions} were asked for.`,
        {
          param: 'dimensions',
          input: dimensions,
        },
      )
    }
    context ??= model.createEmbeddingContext({
      contextSize: options.contextSize,
      batchSize: options.contextSize,
      threads: options.threads,
    })
    const embedding = await context
    const inputs = call.inputs.map((input, index) => readInput(model, loaded, embedding, input, `input[${index}]`))
    const vectors: Float32Array[] = []
    for (const { tokens } of inputs) {
      signal.throwIfAborted()
      const { vector } = await embedding.getEmbeddingFor([...tokens])
      vectors.push(normalize(vector.slice(0, dimensions)))
    }
    return { vectors, usage: { promptTokens: inputs.reduce((sum, { count }) => sum + count, 0), completionTokens: 0 } }
  }
}

type Input = { readonly tokens: readonly Token[]; readonly count: number }

function readInput(
  model: LlamaModel,
  { info }: LoadedModel,
  embedding: LlamaEmbeddingContext,
  input: EmbedCall['inputs'][number],
  param: string,
): Input {
  const tokens = typeof input === 'string' ? model.tokenize(input) : readIds(info, input, param)
  // The library adds what the model wants at both ends; that counts too.
  const count = embedding.calculateInputLength([...tokens])
  checkContext(info, count, param, 'input')
  return { tokens, count }
}

function normalize(vector: readonly number[]): Float32Array {
  const length = Math.hypot(...vector)
  return Float32Array.from(vector, (value) => (length === 0 ? 0 : value / length))
}
