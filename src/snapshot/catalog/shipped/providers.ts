import type { Protocol } from '../../../backend/presets.ts'

/** A provider as configurations of other gateways name it, and how it is reached here. */
export type Provider = {
  readonly protocol: Protocol
  /** The publisher, as Azure lists it. */
  readonly format?: string
  /** Its base URL; absent where everybody has one of their own. */
  readonly url?: string
  /** The base URL that `api_base` stands for. */
  fromBase(base: string): string
}

const asGiven = (base: string): string => base.replace(/\/+$/, '')
/** Where the base is given without the path that the API is under. */
const withVersion = (base: string): string => (/\/v1$/.test(asGiven(base)) ? asGiven(base) : `${asGiven(base)}/v1`)

function openaiLike(url?: string, format?: string): Provider {
  return { protocol: 'openai', fromBase: asGiven, ...(url && { url }), ...(format && { format }) }
}

/** Those that a known protocol reaches, by the prefix that LiteLLM has for them. Addresses are those of the providers' own documentation. */
export const providers: Readonly<Record<string, Provider>> = {
  openai: openaiLike('https://api.openai.com/v1', 'OpenAI'),
  'text-completion-openai': openaiLike('https://api.openai.com/v1', 'OpenAI'),
  azure: { protocol: 'azure-openai', format: 'OpenAI', fromBase: asGiven },
  azure_ai: { protocol: 'foundry', fromBase: (base) => asGiven(base).replace(/\/models$/, '') },
  anthropic: {
    protocol: 'anthropic',
    format: 'Anthropic',
    url: 'https://api.anthropic.com',
    fromBase: (base) => asGiven(base).replace(/\/v1$/, ''),
  },
  ollama: { protocol: 'openai', fromBase: withVersion, url: 'http://127.0.0.1:11434/v1' },
  ollama_chat: { protocol: 'openai', fromBase: withVersion, url: 'http://127.0.0.1:11434/v1' },
  hosted_vllm: openaiLike(),
  openai_like: openaiLike(),
  custom_openai: openaiLike(),
  lm_studio: openaiLike(),
  llamafile: openaiLike('http://127.0.0.1:8080/v1'),
  mistral: openaiLike('https://api.mistral.ai/v1', 'Mistral AI'),
  deepseek: openaiLike('https://api.deepseek.com/v1', 'DeepSeek'),
  groq: openaiLike('https://api.groq.com/openai/v1'),
  xai: openaiLike('https://api.x.ai/v1', 'xAI'),
  together_ai: openaiLike('https://api.together.xyz/v1'),
  fireworks_ai: openaiLike('https://api.fireworks.ai/inference/v1', 'Fireworks'),
  openrouter: openaiLike('https://openrouter.ai/api/v1'),
  perplexity: openaiLike('https://api.perplexity.ai'),
  nvidia_nim: openaiLike('https://integrate.api.nvidia.com/v1'),
}
