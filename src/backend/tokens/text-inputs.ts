import type { Call, EmbedCall } from '../../core/call.ts'
import type { Backend } from '../../core/reply.ts'
import type { Protocol } from '../presets.ts'
import { decodeCl100k } from './decode-cl100k.ts'

/** OpenAI's embedding models, also as aggregators name them. Others borrow the prefix: `text-embedding-nomic-embed-text-v1.5`. */
const openaiModel = /^(openai\/)?text-embedding-(ada-002|3-small|3-large)\b/i

/**
 * Whether a backend is given the token ids of an embeddings input as they are. Clients such as LangChain send ids of cl100k_base, the
 * vocabulary of OpenAI's embedding models, whatever the model is: any other would read other words, or none. An OpenAI-compatible
 * server is told by the model, as it is named there and as the deployment says.
 */
export function takesTokenIds(protocol: Protocol, ...models: readonly string[]): boolean {
  if (protocol === 'azure-openai') return true
  return protocol === 'openai' && models.some((model) => openaiModel.test(model))
}

/** The backend with token ids turned into text before they reach it. */
export function withTextInputs(backend: Backend): Backend {
  const { batches } = backend
  return {
    ...backend,
    batches: batches && {
      ...batches,
      writeLine: (name, call) =>
        hasTokenIds(call)
          ? writeOut(call).then((written) => batches.writeLine(name, written))
          : batches.writeLine(name, call),
    },
    send(call, signal, tally, needsEvents, trace) {
      if (!hasTokenIds(call)) return backend.send(call, signal, tally, needsEvents, trace)
      return writeOut(call).then((written) => backend.send(written, signal, tally, needsEvents, trace))
    },
  }
}

type TokenCall = EmbedCall & { readonly inputs: readonly (readonly number[])[] }

/** Inputs are of one kind, all texts or all ids. */
function hasTokenIds(call: Call): call is TokenCall {
  return call.kind === 'embed' && typeof call.inputs[0] === 'object'
}

async function writeOut(call: TokenCall): Promise<EmbedCall> {
  return { ...call, inputs: await decodeCl100k(call.inputs), source: undefined }
}
