import type { ChatCall } from '../../core/call.ts'
import { closeTag, openTag } from './tool-parser.ts'

/**
 * JSON in GBNF, with the one spacing models are trained on: free white space lets small models fill their answer with it.
 * Grammar: https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md
 */
const jsonRules = String.raw`
object ::= "{" (pair (", " pair)*)? "}"
pair ::= string ": " value
array ::= "[" (value (", " value)*)? "]"
value ::= object | array | string | number | "true" | "false" | "null"
string ::= "\"" character* "\""
character ::= [^"\\\x00-\x1F\x7F] | "\\" (["\\/bfnrt] | "u" [0-9a-fA-F]{4})
number ::= "-"? ("0" | [1-9] [0-9]{0,15}) ("." [0-9]{1,15})? ([eE] [-+]? [0-9]{1,2})?
`

/** The grammar (GBNF) a chat's answer must follow, or undefined when it is free: any JSON object, a tool call, or either. */
export function buildGrammar(call: ChatCall): string | undefined {
  const choice = call.toolChoice
  const names = typeof choice === 'object' ? [choice.name] : (call.tools ?? []).map((tool) => tool.name)
  const mustCall = choice === 'required' || typeof choice === 'object'
  if (!mustCall && call.responseFormat?.type !== 'json_object') return undefined
  const mayCall = choice !== 'none' && names.length > 0
  const root = mustCall ? 'call' : mayCall ? 'object | call' : 'object'
  return `root ::= ${root}\n${mayCall ? callRules(names) : ''}${jsonRules}`
}

function callRules(names: readonly string[]): string {
  const name = names.map((text) => literal(JSON.stringify(text))).join(' | ')
  const begin = literal(`${openTag}{"name": `)
  return `call ::= ${begin} (${name}) ${literal(', "arguments": ')} object ${literal(`}${closeTag}`)}\n`
}

function literal(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}
