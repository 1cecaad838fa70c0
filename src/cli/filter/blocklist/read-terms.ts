import { Fault } from '../../../core/fault.ts'
import type { ItemInput } from '../../../snapshot/filter/blocklist-spec.ts'
import type { CommandContext } from '../../context.ts'
import { readTextFile } from '../../terminal/read-file.ts'

/** A term or pattern, and the line of the file that it is from. */
export type Term = { readonly line: number; readonly item: ItemInput }

const largestFile = 64 * 1_048_576
const longestTerm = 1_000

/**
 * The terms of a file, `-` being standard input: one on each line as it stands, or, of a file whose name ends in `.csv` or whose first
 * line is `term,isRegex`, CSV with these two columns. Empty lines are passed over. Throws Fault `invalid-request` with a line for every
 * problem.
 */
export async function readTerms(
  context: CommandContext,
  file: string,
  form: 'text' | 'csv' | undefined,
): Promise<readonly Term[]> {
  const text = await readTextFile(context, file, largestFile)
  const name = file === '-' ? 'standard input' : file
  const isCsv = form ? form === 'csv' : /\.csv$/i.test(file) || headPattern.test(text)
  const { terms, problems } = isCsv ? readCsv(text) : readPlain(text)
  for (const { line, item } of terms) {
    if (item.pattern.length > longestTerm) {
      problems.push({ line, text: `has ${item.pattern.length} characters, and ${longestTerm} are the most` })
    }
  }
  if (problems.length > 0) {
    const lines = problems.sort((a, b) => a.line - b.line).map((problem) => `${name}:${problem.line}: ${problem.text}`)
    throw new Fault('invalid-request', lines.join('\n'))
  }
  if (terms.length === 0) throw new Fault('invalid-request', `${name} holds no terms: one on each line.`)
  return terms
}

type Problem = { readonly line: number; readonly text: string }
type Reading = { readonly terms: Term[]; readonly problems: Problem[] }

function readPlain(text: string): Reading {
  const terms = text.split('\n').flatMap((raw, index): Term[] => {
    const pattern = raw.trim()
    return pattern === '' ? [] : [{ line: index + 1, item: { pattern, isRegex: false } }]
  })
  return { terms, problems: [] }
}

const headPattern = /^\s*"?term"?\s*,\s*"?isRegex"?\s*\r?(\n|$)/i
const truths = new Map([
  ['true', true],
  ['1', true],
  ['yes', true],
  ['false', false],
  ['0', false],
  ['no', false],
  ['', false],
])

function readCsv(text: string): Reading {
  const terms: Term[] = []
  const problems: Problem[] = []
  for (const { line, cells, problem } of splitCsv(text)) {
    if (problem) {
      problems.push({ line, text: problem })
      continue
    }
    const [pattern = '', isRegex = '', ...more] = cells.map((cell) => cell.trim())
    if (cells.every((cell) => cell.trim() === '')) continue
    if (line === 1 && headPattern.test(cells.join(','))) continue
    const truth = truths.get(isRegex.toLowerCase())
    if (more.length > 0) {
      const text = `has ${cells.length} columns, and there are two: term, isRegex. Put a term with a comma in quotes`
      problems.push({ line, text })
    } else if (pattern === '') problems.push({ line, text: 'the term is empty' })
    else if (truth === undefined) problems.push({ line, text: `isRegex is "${isRegex}", not true or false` })
    else terms.push({ line, item: { pattern, isRegex: truth } })
  }
  return { terms, problems }
}

type Row = { readonly line: number; readonly cells: readonly string[]; readonly problem?: string }

/** After RFC 4180, except that a term is on one line. `"` in quotes is doubled. */
function splitCsv(text: string): Row[] {
  return text.split('\n').map((raw, index): Row => {
    const line = index + 1
    const cells: string[] = []
    let rest = raw.replace(/\r$/, '')
    for (;;) {
      const [whole, quoted, plain = ''] = /^\s*"((?:[^"]|"")*)"\s*(?=,|$)|^([^,]*)/.exec(rest) ?? ['']
      if (quoted === undefined && plain.trimStart().startsWith('"')) {
        return { line, cells, problem: 'a quotation mark is not closed, or something follows it; double those inside' }
      }
      cells.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'))
      rest = rest.slice(whole.length)
      if (rest === '') return { line, cells }
      rest = rest.slice(1)
    }
  })
}
