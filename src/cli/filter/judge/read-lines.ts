import { Fault } from '../../../core/fault.ts'
import { isJsonObject, type Json, type JsonObject, parseJsonObject } from '../../../core/json.ts'
import type { CommandContext } from '../../context.ts'
import { readTextFile } from '../../terminal/read-file.ts'

const largestFile = 256 * 1_048_576

/** A line of a file, numbered from 1. */
export type Numbered<T> = { readonly line: number; readonly value: T }

/**
 * What the lines of a file hold, each a JSON object; empty ones are passed over, and `-` is standard input. `read` gives what a line holds
 * or throws a LineProblem. Throws Fault `invalid-request` with a line for every problem, and for a file without lines.
 */
export async function readLines<T>(
  context: CommandContext,
  file: string,
  read: (line: JsonObject) => T,
): Promise<readonly Numbered<T>[]> {
  const text = await readTextFile(context, file, largestFile)
  const name = file === '-' ? 'standard input' : file
  const problems: string[] = []
  const lines: Numbered<T>[] = []
  for (const [index, raw] of text.split('\n').entries()) {
    if (raw.trim() === '') continue
    try {
      lines.push({ line: index + 1, value: read(requireObject(raw)) })
    } catch (error) {
      if (!(error instanceof LineProblem)) throw error
      problems.push(`${name}:${index + 1}: ${error.message}`)
    }
  }
  if (problems.length > 0) throw new Fault('invalid-request', problems.join('\n'))
  if (lines.length === 0) throw new Fault('invalid-request', `${name} has no lines: each is a JSON object.`)
  return lines
}

/** Why a line cannot be used. */
export class LineProblem extends Error {}

function requireObject(raw: string): JsonObject {
  const line = parseJsonObject(raw)
  if (!line) throw new LineProblem('is no JSON object')
  return line
}

/** The text in that field; throws a LineProblem for anything else, and for a text without anything in it. */
export function requireText(line: JsonObject, field: string): string {
  const value = line[field]
  if (typeof value === 'string' && value !== '') return value
  throw new LineProblem(value === undefined ? `"${field}" is missing` : `"${field}" is ${describe(value)}, not a text`)
}

/** Which side the line is from, `Prompt` where it does not say; in any case. */
export function readSource(line: JsonObject): 'Prompt' | 'Completion' {
  const { source = 'Prompt' } = line
  const known = typeof source === 'string' ? source.toLowerCase() : undefined
  if (known === 'prompt') return 'Prompt'
  if (known === 'completion') return 'Completion'
  throw new LineProblem(`"source" is ${describe(source)}, not "Prompt" or "Completion"`)
}

/** A value for a message, shortened. */
export function describe(value: Json): string {
  if (Array.isArray(value)) return 'a list'
  if (isJsonObject(value)) return 'an object'
  const text = JSON.stringify(value)
  if (text === '""') return 'empty'
  return text.length > 40 ? `${text.slice(0, 39)}\u2026` : text
}
