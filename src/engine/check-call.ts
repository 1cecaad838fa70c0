import {
  type Call,
  type ChatCall,
  type CompletionCall,
  type EmbedCall,
  isPassCall,
  type Message,
  type ModelCall,
  type Rest,
  type Sampling,
} from '../core/call.ts'
import { Fault } from '../core/fault.ts'
import type { Json } from '../core/json.ts'

/** Refuses, with a Fault naming the field, what the engine would otherwise have to ignore. */
export function checkCall(call: Call): asserts call is ModelCall {
  if (isPassCall(call)) throw new Fault('operation-not-supported', `The built-in engine has no ${call.kind} operation.`)
  checkRest(call.rest)
  if (call.kind === 'chat') checkChat(call)
  else if (call.kind === 'completion') checkCompletion(call)
  else checkEmbed(call)
}

const maxAnswers = 2048
/** Each is looked for after every token. */
const maxStops = 16

/** Labels that ask nothing of a model. */
const labels: ReadonlySet<string> = new Set([
  'user',
  'safety_identifier',
  'prompt_cache_key',
  'metadata',
  'user_security_context',
])

/** Fields beyond the canonical form: labels, and values that say what is so anyway. */
function checkRest(rest: Rest | undefined): void {
  for (const key in rest?.fields) {
    const value = rest.fields[key]
    if (labels.has(key) || value === null || value === false || isPlain(key, value)) continue
    throw new Fault(
      'unsupported-value',
      `Unrecognized request argument supplied: ${key}. The built-in engine has no such field.`,
      { param: key, keys: [key], input: value },
    )
  }
}

function isPlain(key: string, value: Json | undefined): boolean {
  if (key === 'service_tier') return value === 'auto' || value === 'default'
  return key === 'modalities' && Array.isArray(value) && value.every((item) => item === 'text')
}

function checkChat(call: ChatCall): void {
  call.messages.forEach(checkParts)
  checkStop(call)
  call.tools?.forEach((tool, index) => {
    if (tool.strict) {
      refuse(`tools[${index}].function.strict`, true, 'it cannot hold arguments to a schema yet; leave `strict` out')
    }
  })
  checkToolChoice(call)
  if (call.responseFormat?.type === 'json_schema') {
    const reason = 'it cannot hold answers to a schema yet; use "json_object" and describe the shape'
    refuse('response_format', 'json_schema', reason)
  }
  if (call.logprobs && (call.responseFormat?.type === 'json_object' || isForced(call))) {
    refuse('logprobs', true, 'it has no log probabilities of answers whose form is prescribed')
  }
}

function isForced({ toolChoice }: ChatCall): boolean {
  return toolChoice === 'required' || typeof toolChoice === 'object'
}

function checkToolChoice(call: ChatCall): void {
  const choice = call.toolChoice
  const names = (call.tools ?? []).map((tool) => tool.name)
  const isKnown = typeof choice === 'object' ? names.includes(choice.name) : names.length > 0
  if (!isForced(call) || isKnown) return
  const what = typeof choice === 'object' ? `the tool "${choice.name}"` : 'a tool call'
  throw new Fault('invalid-request', `tool_choice asks for ${what}, which \`tools\` does not offer.`, {
    param: 'tool_choice',
  })
}

function checkParts(message: Message, index: number): void {
  if (message.rest?.fields.audio) {
    const reason = 'it has kept no spoken answer to refer to; send its text as `content`'
    refuse(`messages[${index}].audio`, message.rest.fields.audio, reason)
  }
  if (typeof message.content !== 'object' || message.content === null) return
  message.content.forEach((part, at) => {
    if (part.type === 'text') return
    const param = `messages[${index}].content[${at}]`
    const type = part.type === 'other' ? `"${part.fields.type}"` : part.type
    throw new Fault('unsupported-value', `The built-in engine reads text only: ${param} is of type ${type}.`, {
      param,
      input: part.type,
    })
  })
}

function checkCompletion(call: CompletionCall): void {
  checkStop(call)
  const answers = call.prompts.length * call.n
  if (answers > maxAnswers) refuse('n', call.n, `that makes ${answers} answers and it gives at most ${maxAnswers}`)
  if (call.suffix) refuse('suffix', call.suffix, 'it cannot fill in the middle; leave `suffix` out')
  if (call.bestOf !== undefined && call.bestOf > call.n) {
    refuse('best_of', call.bestOf, 'it does not rank answers; leave `best_of` out or set it to `n`')
  }
  if (call.logprobs && call.echo) {
    refuse('logprobs', call.logprobs.top, 'it has no log probabilities of the prompt; leave `echo` or `logprobs` out')
  }
}

function checkEmbed(call: EmbedCall): void {
  if (call.encoding !== 'float' && call.encoding !== 'base64') {
    refuse('encoding_format', call.encoding, 'its vectors are numbers; use "float" or "base64"')
  }
  if (call.inputType !== undefined && call.inputType !== 'text') {
    refuse('input_type', call.inputType, 'its model makes one kind of vector; use "text"')
  }
  call.inputs.forEach((input, index) => {
    if (input.length === 0) {
      throw new Fault('invalid-request', `input[${index}] is empty: there is nothing to embed.`, {
        param: `input[${index}]`,
      })
    }
  })
}

function checkStop(sampling: Sampling): void {
  const count = sampling.stop?.length ?? 0
  if (count > maxStops) refuse('stop', count, `it looks for at most ${maxStops} texts, and got ${count}`)
  sampling.stop?.forEach((text, index) => {
    if (text === '') throw new Fault('invalid-request', `stop[${index}] is empty.`, { param: 'stop' })
  })
}

function refuse(param: string, input: unknown, reason: string): never {
  throw new Fault('unsupported-value', `The built-in engine does not support this value of \`${param}\`: ${reason}.`, {
    param,
    input,
  })
}
