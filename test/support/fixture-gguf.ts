import { writeFileSync } from 'node:fs'

/**
 * A real, tiny llama model in GGUF v3, made at test time: byte-level vocabulary, ChatML template, F32 weights.
 *
 * Without `script` the weights are random: plausible plumbing, meaningless text. With `script` they are set by hand so that each
 * token leads to the next one of the list (attention and FFN write nothing, so the last token alone decides), beginning after
 * "\n", the last token of a chat prompt. The engine cannot tell; the test knows what must come out.
 */
export type FixtureOptions = {
  readonly seed?: number
  readonly script?: readonly string[]
  readonly contextLength?: number
  readonly template?: string
}

const layers = 2
const dim = 64
const heads = 4
const kvHeads = 2
const ffn = 192
const kvDim = (dim / heads) * kvHeads

export const fixtureTemplate =
  "{%- if tools %}{{ '<|im_start|>tools\\n' }}{% for tool in tools %}{{ tool.function.name }}(" +
  "{% for name in tool.function.parameters.properties %}{{ name }}{{ ', ' if not loop.last }}{% endfor %}" +
  "): {{ tool.function.description }}{{ '\\n' }}" +
  "{%- endfor %}{{ '<|im_end|>\\n' }}{% endif %}" +
  "{%- for message in messages %}{{ '<|im_start|>' + message.role + '\\n' + (message.content or '') }}" +
  "{%- for call in message.tool_calls or [] %}{{ '<tool_call>' }}" +
  '{{- {"name": call.function.name, "arguments": call.function.arguments} | tojson }}' +
  "{{- '</tool_call>' }}{% endfor %}{{ '<|im_end|>\\n' }}{% endfor %}" +
  "{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"

const tokenType = { normal: 1, control: 3, userDefined: 4 } as const

/** Writes the model to `path`. */
export function writeFixtureGguf(path: string, options: FixtureOptions = {}): void {
  const script = options.script ?? []
  const vocabulary = buildVocabulary(script)
  const tensors = buildTensors(vocabulary.texts, script, options.seed ?? 1)
  const size = vocabulary.texts.length
  const metadata: [string, GgufValue][] = [
    ['general.architecture', 'llama'],
    ['general.name', 'fixture'],
    ['llama.block_count', u32(layers)],
    ['llama.context_length', u32(options.contextLength ?? 512)],
    ['llama.embedding_length', u32(dim)],
    ['llama.feed_forward_length', u32(ffn)],
    ['llama.attention.head_count', u32(heads)],
    ['llama.attention.head_count_kv', u32(kvHeads)],
    ['llama.attention.layer_norm_rms_epsilon', { f32: 1e-5 }],
    ['llama.rope.dimension_count', u32(dim / heads)],
    ['llama.vocab_size', u32(size)],
    ['tokenizer.ggml.model', 'gpt2'],
    ['tokenizer.ggml.pre', 'qwen2'],
    ['tokenizer.ggml.tokens', vocabulary.texts],
    ['tokenizer.ggml.token_type', vocabulary.types.map((type) => ({ i32: type }))],
    ['tokenizer.ggml.merges', ['h e', 'l l', 't h']],
    ['tokenizer.ggml.bos_token_id', u32(vocabulary.texts.indexOf('<|bos|>'))],
    ['tokenizer.ggml.eos_token_id', u32(vocabulary.texts.indexOf('<|im_end|>'))],
    ['tokenizer.ggml.add_bos_token', false],
    ['tokenizer.chat_template', options.template ?? fixtureTemplate],
  ]
  writeFileSync(path, encodeGguf(metadata, tensors))
}

/** The text of the vocabulary's token for one byte: what a script says to put half a character out. */
export function byteToken(byte: number): string {
  return byteLetters()[byte] as string
}

/** The letters GPT-2 writes bytes with: printable Latin-1 stands for itself, the rest is moved to U+0100 and up. */
function byteLetters(): string[] {
  let moved = 0
  return Array.from({ length: 256 }, (_, byte) => {
    const isPrintable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174
    return String.fromCodePoint(isPrintable ? byte : 256 + moved++)
  })
}

function buildVocabulary(script: readonly string[]): { texts: string[]; types: number[] } {
  const texts = [...byteLetters(), 'he', 'll', 'th']
  const types: number[] = texts.map(() => tokenType.normal)
  const add = (text: string, type: number) => {
    if (texts.includes(text)) return
    texts.push(text)
    types.push(type)
  }
  for (const text of ['<|im_start|>', '<|im_end|>', '<|bos|>', '<|pad|>']) add(text, tokenType.control)
  for (const text of ['<tool_call>', '</tool_call>', ...script]) add(text, tokenType.userDefined)
  return { texts, types }
}

type Tensor = { readonly name: string; readonly shape: readonly number[]; readonly values: Float32Array }

function buildTensors(texts: readonly string[], script: readonly string[], seed: number): Tensor[] {
  const random = seededNormal(seed)
  const fill = (name: string, shape: number[], scale: number): Tensor => ({
    name,
    shape,
    values: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random() * scale),
  })
  const ones = (name: string): Tensor => ({ name, shape: [dim], values: new Float32Array(dim).fill(1) })
  const residual = script.length > 0 ? 0 : 0.3
  const embedding = fill('token_embd.weight', [dim, texts.length], 1)
  const output = fill('output.weight', [dim, texts.length], script.length > 0 ? 0.01 : 0.2)
  linkScript(embedding, output, texts, script)
  const blocks = Array.from({ length: layers }, (_, i) => [
    ones(`blk.${i}.attn_norm.weight`),
    fill(`blk.${i}.attn_q.weight`, [dim, dim], 0.2),
    fill(`blk.${i}.attn_k.weight`, [dim, kvDim], 0.2),
    fill(`blk.${i}.attn_v.weight`, [dim, kvDim], 0.2),
    fill(`blk.${i}.attn_output.weight`, [dim, dim], residual),
    ones(`blk.${i}.ffn_norm.weight`),
    fill(`blk.${i}.ffn_gate.weight`, [dim, ffn], 0.2),
    fill(`blk.${i}.ffn_up.weight`, [dim, ffn], 0.2),
    fill(`blk.${i}.ffn_down.weight`, [ffn, dim], residual),
  ])
  return [embedding, ones('output_norm.weight'), output, ...blocks.flat()]
}

/** Makes `script[i]` the likeliest token after `script[i - 1]`: its output row points where the other's embedding does. */
function linkScript(embedding: Tensor, output: Tensor, texts: readonly string[], script: readonly string[]): void {
  let from = texts.indexOf(byteToken(10))
  for (const text of script) {
    const to = texts.indexOf(text)
    for (let d = 0; d < dim; d++) output.values[to * dim + d]! += embedding.values[from * dim + d]!
    from = to
  }
}

function seededNormal(seed: number): () => number {
  let state = seed >>> 0
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
}

type GgufValue =
  | string
  | boolean
  | { readonly u32: number }
  | { readonly i32: number }
  | { readonly f32: number }
  | GgufValue[]

const u32 = (value: number) => ({ u32: value })

/** GGUF v3: header, key-values, tensor infos, then the data, aligned to 32 bytes. */
function encodeGguf(metadata: readonly [string, GgufValue][], tensors: readonly Tensor[]): Buffer {
  const parts: Buffer[] = []
  const number = (size: number, write: (buffer: Buffer) => void) => {
    const buffer = Buffer.alloc(size)
    write(buffer)
    parts.push(buffer)
  }
  const writeU32 = (value: number) => number(4, (b) => b.writeUInt32LE(value))
  const writeU64 = (value: number) => number(8, (b) => b.writeBigUInt64LE(BigInt(value)))
  const writeText = (text: string) => {
    const bytes = Buffer.from(text)
    writeU64(bytes.length)
    parts.push(bytes)
  }
  const writeValue = (value: GgufValue): void => {
    if (typeof value === 'string') writeText(value)
    else if (typeof value === 'boolean') number(1, (b) => b.writeUInt8(value ? 1 : 0))
    else if (Array.isArray(value)) {
      writeU32(typeId(value[0] as GgufValue))
      writeU64(value.length)
      for (const item of value) writeValue(item)
    } else if ('u32' in value) writeU32(value.u32)
    else if ('i32' in value) number(4, (b) => b.writeInt32LE(value.i32))
    else number(4, (b) => b.writeFloatLE(value.f32))
  }
  parts.push(Buffer.from('GGUF'))
  writeU32(3)
  writeU64(tensors.length)
  writeU64(metadata.length)
  for (const [key, value] of metadata) {
    writeText(key)
    writeU32(typeId(value))
    writeValue(value)
  }
  let offset = 0
  for (const tensor of tensors) {
    writeText(tensor.name)
    writeU32(tensor.shape.length)
    for (const length of tensor.shape) writeU64(length)
    writeU32(0)
    writeU64(offset)
    offset += align(tensor.values.byteLength)
  }
  const head = Buffer.concat(parts)
  const data = tensors.map(({ values }) => pad(Buffer.from(values.buffer, values.byteOffset, values.byteLength)))
  return Buffer.concat([pad(head), ...data])
}

function typeId(value: GgufValue): number {
  if (typeof value === 'string') return 8
  if (typeof value === 'boolean') return 7
  if (Array.isArray(value)) return 9
  return 'u32' in value ? 4 : 'i32' in value ? 5 : 6
}

const align = (length: number) => Math.ceil(length / 32) * 32
const pad = (buffer: Buffer) => Buffer.concat([buffer, Buffer.alloc(align(buffer.length) - buffer.length)])
