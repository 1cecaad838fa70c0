import { inferenceChatServer } from './azure-inference/chat-server.ts'
import { inferenceEmbeddingsServer } from './azure-inference/embeddings-server.ts'
import { openaiChatServer } from './openai-chat/server.ts'
import { openaiCompletionsServer } from './openai-completions/server.ts'
import { openaiEmbeddingsServer } from './openai-embeddings/server.ts'
import type { ServerEnd } from './wire.ts'

/** Every protocol we are spoken to. The data plane's routes are made from this list. */
export const serverEnds: readonly ServerEnd[] = [
  inferenceChatServer,
  inferenceEmbeddingsServer,
  openaiChatServer,
  openaiCompletionsServer,
  openaiEmbeddingsServer,
]
