import { anthropicMessagesServer } from './anthropic-messages/server.ts'
import { inferenceChatServer } from './azure-inference/chat-server.ts'
import { inferenceEmbeddingsServer } from './azure-inference/embeddings-server.ts'
import { writeInferenceFault } from './azure-inference/fault.ts'
import { inferenceImageEmbeddingsServer, inferenceImagesServer } from './azure-inference/images-server.ts'
import { writeAuthoringFault } from './faults/authoring-fault.ts'
import { writeContentSafetyFault } from './faults/content-safety-fault.ts'
import { writeOpenAIFault } from './faults/openai-fault.ts'
import { openaiChatServer } from './openai-chat/server.ts'
import { openaiCompletionsServer } from './openai-completions/server.ts'
import { openaiEmbeddingsServer } from './openai-embeddings/server.ts'
import { openaiResponsesServer } from './openai-responses/server.ts'
import {
  openaiSpeechServer,
  openaiTranscriptionsServer,
  openaiTranslationsServer,
} from './passed/openai-audio/server.ts'
import { openaiImageEditsServer, openaiImagesServer } from './passed/openai-images/server.ts'
import { openaiModerationsServer } from './passed/openai-moderations/server.ts'
import { rerankServer } from './passed/rerank/server.ts'
import type { ServerEnd } from './wire.ts'

/** Every protocol we are spoken to. The data plane's routes are made from this list. */
export const serverEnds: readonly ServerEnd[] = [
  inferenceChatServer,
  inferenceEmbeddingsServer,
  inferenceImageEmbeddingsServer,
  inferenceImagesServer,
  openaiChatServer,
  openaiCompletionsServer,
  openaiEmbeddingsServer,
  openaiResponsesServer,
  anthropicMessagesServer,
  openaiImagesServer,
  openaiImageEditsServer,
  openaiTranscriptionsServer,
  openaiTranslationsServer,
  openaiSpeechServer,
  openaiModerationsServer,
  rerankServer,
]

/** How faults are written where no route was found, by the beginning of the path. */
const surfaces: readonly { readonly prefix: string; readonly writeFault: ServerEnd['writeFault'] }[] = [
  { prefix: '/openai/files', writeFault: writeAuthoringFault },
  { prefix: '/openai/uploads', writeFault: writeAuthoringFault },
  { prefix: '/openai/batches', writeFault: writeAuthoringFault },
  { prefix: '/openai', writeFault: writeOpenAIFault },
  { prefix: '/contentsafety', writeFault: writeContentSafetyFault },
  { prefix: '/anthropic', writeFault: anthropicMessagesServer.writeFault },
]

export function faultWriterBelow(path: string): ServerEnd['writeFault'] {
  return surfaces.find(({ prefix }) => path.startsWith(prefix))?.writeFault ?? writeInferenceFault
}
