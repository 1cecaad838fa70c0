import {
  getLlama,
  type Llama,
  type LlamaContext,
  LlamaLogLevel,
  type LlamaModel,
  type LlamaModelOptions,
  readGgufFileInfo,
} from 'node-llama-cpp'
import type { LoadOptions, LogLevel, ModelInfo } from '../protocol.ts'
import { type ChatTemplate, compileTemplate } from '../text/template.ts'
import { closeTag, openTag } from '../text/tool-parser.ts'

/** A loaded model with what the engine knows about it. */
export type LoadedModel = {
  readonly llama: Llama
  readonly model: LlamaModel
  readonly context: LlamaContext
  readonly options: LoadOptions
  readonly info: ModelInfo
  /** Undefined when the file has none: then there is no chat. */
  readonly template: ChatTemplate | undefined
  /** Tool-call tags that are single control tokens: detokenizing would drop them. */
  readonly tagTexts: ReadonlyMap<number, string>
}

/** Token types of GGUF (`tokenizer.ggml.token_type`). */
const tokenType = { unknown: 2, control: 3, userDefined: 4 } as const

/** `<architecture>.pooling_type` of GGUF. */
const meanPooling = 1

/** Prompt tokens per decode: bounds how long one prompt delays the other sequences. */
export const batchTokens = 256

type Log = (level: LogLevel, text: string) => void

/**
 * Loads a GGUF file for the CPU. Rejects with an Error that names the file and says why it can't be used.
 * Never builds or downloads anything: without a binary for this platform it rejects.
 */
export async function loadModel(options: LoadOptions, log: Log): Promise<LoadedModel> {
  // The library's errors say that something failed; what failed is in the first line llama.cpp logs about it.
  let firstError: string | undefined
  try {
    return await openModel(options, (level, text) => {
      if (level === 'error') firstError ??= text
      log(level, text)
    })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`${options.modelFile}: ${reason}${firstError ? ` (${firstError})` : ''}`)
  }
}

async function openModel(options: LoadOptions, log: Log): Promise<LoadedModel> {
  // The library tries its binary in another process first: time to look into the file.
  const pooling = readPooling(options.modelFile)
  pooling.catch(() => {})
  const llama = await getLlama({
    build: 'never',
    skipDownload: true,
    progressLogs: false,
    gpu: false,
    maxThreads: options.threads,
    logLevel: LlamaLogLevel.warn,
    logger: (level, text) => log(level === LlamaLogLevel.warn ? 'warn' : 'error', text.trim()),
  })
  const model = await llama.loadModel({
    modelPath: options.modelFile,
    gpuLayers: 0,
    metadataOverrides: await pooling,
  })
  if (options.contextSize > model.trainContextSize) {
    throw new Error(`the model was trained for ${model.trainContextSize} tokens of context, not ${options.contextSize}`)
  }
  const context = await model.createContext({
    contextSize: options.contextSize,
    sequences: options.slots,
    threads: options.threads,
    batchSize: batchTokens,
  })
  const vocabulary = model.fileInfo.metadata.tokenizer.ggml
  const template = readTemplate(model, log)
  return {
    llama,
    model,
    context,
    options,
    template,
    info: {
      contextSize: options.contextSize,
      vocabularySize: vocabulary.tokens.length,
      embeddingSize: model.embeddingVectorSize,
      hasChatTemplate: template !== undefined,
    },
    tagTexts: findTagTokens(model),
  }
}

/**
 * A model made for chat says nothing about pooling, and llama.cpp then embeds a text as its last token: all questions look alike.
 * The mean over all tokens is taken instead. It changes nothing about generation.
 */
async function readPooling(modelFile: string): Promise<LlamaModelOptions['metadataOverrides']> {
  const { metadata } = await readGgufFileInfo(modelFile, { sourceType: 'filesystem', readTensorInfo: false })
  const { architecture } = metadata.general
  const own = (metadata as unknown as Readonly<Record<string, { readonly pooling_type?: number } | undefined>>)[
    architecture
  ]
  return own?.pooling_type === undefined ? { [architecture]: { pooling_type: meanPooling } } : undefined
}

/** A template that does not compile or can't render one message makes a model without chat, not a model that can't load. */
function readTemplate(model: LlamaModel, log: Log): ChatTemplate | undefined {
  const source = model.fileInfo.metadata.tokenizer.chat_template
  if (source === undefined) return undefined
  const { tokens, token_type: types = [] } = model.fileInfo.metadata.tokenizer.ggml
  const textsOf = (...wanted: number[]) =>
    (tokens as readonly string[]).filter((_, id) => wanted.includes(types[id] ?? 1))
  try {
    const template = compileTemplate({
      source,
      bosText: model.tokens.bosString ?? '',
      eosText: model.tokens.eosString ?? '',
      controlTexts: textsOf(tokenType.control, tokenType.unknown),
      markupTexts: textsOf(tokenType.userDefined),
    })
    template.render({
      kind: 'chat',
      deployment: '',
      stream: false,
      includeUsage: false,
      n: 1,
      messages: [{ role: 'user', content: 'Hi' }],
    })
    return template
  } catch (error) {
    log('error', `The model's chat template cannot be used: ${error instanceof Error ? error.message : error}`)
    return undefined
  }
}

function findTagTokens(model: LlamaModel): ReadonlyMap<number, string> {
  const tags = new Map<number, string>()
  for (const tag of [openTag, closeTag]) {
    const [token, ...more] = model.tokenize(tag, true)
    if (token !== undefined && more.length === 0) tags.set(token, tag)
  }
  return tags
}
