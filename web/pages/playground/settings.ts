import type { ChatMessage } from './stream-chat.ts'

/** What somebody sets before asking; numbers as typed, '' for what the model does by itself. */
export type Settings = {
  readonly system: string
  readonly temperature: string
  readonly topP: string
  readonly maxTokens: string
  readonly seed: string
}

export const emptySettings: Settings = { system: '', temperature: '', topP: '', maxTokens: '', seed: '' }

export type SharedPrompt = { readonly settings: Settings; readonly draft: string }

export function makeRequest(deployment: string, settings: Settings, messages: readonly ChatMessage[]): object {
  const system = settings.system.trim()
  return {
    model: deployment,
    messages: [...(system ? [{ role: 'system', content: system }] : []), ...messages],
    ...numberField('temperature', settings.temperature),
    ...numberField('top_p', settings.topP),
    ...numberField('max_tokens', settings.maxTokens),
    ...numberField('seed', settings.seed),
    stream: true,
    stream_options: { include_usage: true },
  }
}

function numberField(name: string, text: string): object {
  return text.trim() === '' || Number.isNaN(Number(text)) ? {} : { [name]: Number(text) }
}

const prefix = '#prompt='

/** A prompt as part of an address: browsers do not send a fragment, so that no server learns of it. */
export function writeFragment(prompt: SharedPrompt): string {
  return prefix + encodeURIComponent(JSON.stringify(prompt))
}

/** undefined for a fragment that is none of ours. It only fills in fields: nothing is asked by opening an address. */
export function readFragment(hash: string): SharedPrompt | undefined {
  if (!hash.startsWith(prefix)) return undefined
  try {
    const read = JSON.parse(decodeURIComponent(hash.slice(prefix.length))) as Partial<SharedPrompt>
    const text = (value: unknown) => (typeof value === 'string' ? value : '')
    const given = (read.settings ?? {}) as Partial<Record<keyof Settings, unknown>>
    return {
      draft: text(read.draft),
      settings: {
        system: text(given.system),
        temperature: text(given.temperature),
        topP: text(given.topP),
        maxTokens: text(given.maxTokens),
        seed: text(given.seed),
      },
    }
  } catch {
    return undefined
  }
}
