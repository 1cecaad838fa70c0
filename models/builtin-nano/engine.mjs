// The real engine for tests: node-llama-cpp on one thread, prompts rendered by the template inside the GGUF.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** Packages are looked up from the working directory, so that this folder needs no node_modules of its own. */
async function load(name, from = process.cwd()) {
  return import(pathToFileURL(createRequire(join(from, 'here.js')).resolve(name)).href)
}

/** Text that a caller wrote must never become a control token: it travels as marks through the template. */
function withMarks(messages, tools) {
  const texts = []
  const mark = text => {
    texts.push(text)
    return `\ue000${texts.length - 1}\ue001`
  }
  const body = content => typeof content === 'string' && content !== '' ? mark(content) : content
  return {
    texts,
    messages: messages.map(message => ({ ...message, content: body(message.content) })),
    tools: tools?.map(tool => ({
      ...tool,
      function: { ...tool.function, name: mark(tool.function.name), description: tool.function.description && mark(tool.function.description) },
    })),
  }
}

export async function openEngine(modelPath, { packagesFrom = process.cwd() } = {}) {
  const { getLlama, LlamaLogLevel } = await load('node-llama-cpp', packagesFrom)
  const { Template } = await load('@huggingface/jinja', packagesFrom)
  const llama = await getLlama({ gpu: false, build: 'never', skipDownload: true, maxThreads: 1, logLevel: LlamaLogLevel.error })
  const model = await llama.loadModel({ modelPath })
  const context = await model.createContext({ contextSize: 1024, sequences: 1, threads: 1 })
  const sequence = context.getSequence()
  const template = new Template(model.fileInfo.metadata.tokenizer.chat_template)

  function promptTokens({ messages, tools }) {
    const marked = withMarks(messages, tools)
    const text = template.render({ messages: marked.messages, tools: marked.tools?.length ? marked.tools : undefined, add_generation_prompt: true })
    return text.split(/(\ue000\d+\ue001)/).filter(Boolean).flatMap(piece => {
      const found = /^\ue000(\d+)\ue001$/.exec(piece)
      return found ? model.tokenize(marked.texts[Number(found[1])], false) : model.tokenize(piece, true)
    })
  }

  async function answer(chat, maxTokens = 160) {
    await sequence.clearHistory()
    const tokens = []
    for await (const token of sequence.evaluate(promptTokens(chat), { temperature: 0 })) {
      if (model.isEogToken(token)) break
      tokens.push(token)
      if (tokens.length >= maxTokens) break
    }
    return model.detokenize(tokens, true)
  }

  async function embedder() {
    const embedding = await model.createEmbeddingContext({ contextSize: 256, threads: 1 })
    return async text => (await embedding.getEmbeddingFor(text)).vector
  }

  return { answer, embedder, promptTokens, model, close: () => llama.dispose() }
}
