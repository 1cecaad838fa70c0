/**
 * What could be read as structure by a guard model or by its chat template: control tokens, the tags that prompts and answers are made
 * of, and lines that look like the next speaker or the end of a section. Each is broken up so that it is text again; everything else
 * stays as it was, since the text is what is judged.
 */
const tags = [
  /** `<|im_end|>`, `<|eot_id|>` and their kind. */
  String.raw`<(?=\s{0,4}[|｜])`,
  /** Sections, turns and what answers are wrapped in. */
  String.raw`<(?=\s{0,4}\/?\s{0,4}(?:s\s{0,4}>|bos|eos|unk|pad|sep|cls|mask|think|no-think|score|guardian|confidence|start_of_turn|end_of_turn|start_of_role|end_of_role|end_of_text|begin[\s_]|end[\s_]))`,
  String.raw`<(?=<\/?SYS>>)`,
  String.raw`\[(?=\s{0,4}\/?\s{0,4}(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\s{0,4}\])`,
].join('|')

const tagPattern = new RegExp(tags, 'gi')

const linePattern =
  /^(?=[ \t]*(?:(?:user|agent|assistant|system|human|human user|human question|ai assistant|chatbot response|answers?|output json|safety|categories|refusal)[ \t]*:|-{3,}[ \t]*$|#{2,}[ \t]*(?:criteria|scoring schema|context)))/gim

/** The text with nothing in it that a guard prompt or a chat template takes for its own. */
export function neutralizeText(text: string): string {
  return text.replace(tagPattern, (character) => `${character} `).replace(linePattern, '> ')
}

/** A prompt of the operator's with `{name}` filled in; names that it does not know, and braces in what is filled in, stay. */
export function fillTemplate(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(values, name) ? (values[name] as string) : whole,
  )
}
