import { Template } from '@huggingface/jinja'
import type { ChatCall, Message, Tool } from '../../core/call.ts'
import { Fault } from '../../core/fault.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { createGuard, type GuardedPiece, pickSeam, splitGuarded } from './reserved-text.ts'

export type TemplateSource = {
  /** Jinja, as in the model file. */
  readonly source: string
  readonly bosText: string
  readonly eosText: string
  /** Texts of tokens with a meaning of their own, which no caller may write: `<|im_start|>`. */
  readonly controlTexts: readonly string[]
  /** Texts that are single tokens but may be content as well: `<tool_call>`. */
  readonly markupTexts: readonly string[]
}

export type ChatTemplate = {
  /** The prompt for a chat, ready to be tokenised piece by piece. Throws Fault when the template refuses the messages. */
  render(call: ChatCall): GuardedPiece[]
}

/** Compiles a model's chat template. Throws a plain Error when it is not valid Jinja. */
export function compileTemplate(model: TemplateSource): ChatTemplate {
  const template = new Template(model.source)
  const takesTools = /\btools\b/.test(model.source)
  // Markup that the template itself writes carries structure, so only the model may write it.
  const structural = model.markupTexts.filter((text) => model.source.includes(text))
  return {
    render(call) {
      const tools = call.toolChoice === 'none' ? [] : (call.tools ?? [])
      if (tools.length > 0 && !takesTools) {
        throw new Fault(
          'unsupported-value',
          'This model cannot be given tools: its chat template has no place for them.',
          {
            param: 'tools',
          },
        )
      }
      const seam = pickSeam(JSON.stringify([call.messages, tools]))
      const guards: Guards = {
        content: createGuard([...model.controlTexts, ...structural], seam),
        // What the assistant said before comes from a model: its markup is kept, its control texts are not.
        assistant: createGuard(model.controlTexts, seam),
      }
      const context = {
        messages: renderMessages(call.messages, guards),
        tools: tools.length > 0 ? tools.map((tool) => renderTool(tool, guards)) : undefined,
        add_generation_prompt: true,
        bos_token: model.bosText,
        eos_token: model.eosText,
      }
      return splitGuarded(runTemplate(template, context), seam)
    },
  }
}

type Guard = (text: string) => string
type Guards = { readonly content: Guard; readonly assistant: Guard }

function runTemplate(template: Template, context: Record<string, unknown>): string {
  try {
    return template.render(context)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Fault('invalid-request', `This model's chat template does not accept these messages: ${reason}`, {
      param: 'messages',
    })
  }
}

/** Messages in the form Hugging Face templates expect: OpenAI's, with tool arguments as objects. */
function renderMessages(messages: readonly Message[], guards: Guards): JsonObject[] {
  const toolNames = new Map(messages.flatMap((message) => message.toolCalls ?? []).map((call) => [call.id, call.name]))
  return messages.map((message) => {
    const guard = message.role === 'assistant' ? guards.assistant : guards.content
    const name = message.name ?? (message.toolCallId === undefined ? undefined : toolNames.get(message.toolCallId))
    const rendered: JsonObject = { role: templateRole(message), content: guard(joinText(message)) }
    if (name !== undefined) rendered.name = guards.content(name)
    if (message.toolCallId !== undefined) rendered.tool_call_id = guards.content(message.toolCallId)
    if (message.toolCalls?.length) {
      rendered.tool_calls = message.toolCalls.map((call) => ({
        id: guards.content(call.id),
        type: 'function',
        function: {
          name: guards.content(call.name),
          arguments: guardDeep(parseArguments(call.arguments), guards.content),
        },
      }))
    }
    return rendered
  })
}

function templateRole(message: Message): string {
  if (message.role === 'developer') return 'system'
  return message.role === 'function' ? 'tool' : message.role
}

/** The text of a message; parts become paragraphs. Parts that are not text were refused before (`check-call.ts`). */
function joinText(message: Message): string {
  if (typeof message.content === 'string') return message.content
  return (message.content ?? []).map((part) => (part.type === 'text' ? part.text : '')).join('\n')
}

function renderTool(tool: Tool, guards: Guards): JsonObject {
  const parameters = tool.parameters ?? { type: 'object', properties: {} }
  return {
    type: 'function',
    function: guardDeep({ name: tool.name, description: tool.description ?? '', parameters }, guards.content),
  }
}

function parseArguments(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    return text
  }
}

function guardDeep(value: Json, guard: Guard): Json {
  if (typeof value === 'string') return guard(value)
  if (Array.isArray(value)) return value.map((item) => guardDeep(item, guard))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [guard(key), guardDeep(item, guard)]))
}
