import type { BatchClient, BatchView } from './client.ts'
import { customIdOf, type InputShape } from './input.ts'
import { answerOf, isRefused } from './upstream.ts'

type Line = {
  readonly custom_id: string
  readonly response: { readonly status_code: number; readonly body: Answer } | null
  readonly error: { readonly code: string } | null
}
type Answer = { readonly choices?: readonly { readonly message: { readonly content: string } }[] }

export type CheckedFiles = {
  readonly output: number
  readonly error: number
  /** What is wrong; empty when nothing is. */
  readonly wrong: readonly string[]
}

/** Lines of an input of that shape, whole or (`isPartial`) as far as they came, each once and in the right file, and the counts right. */
export async function checkFiles(
  client: BatchClient,
  batch: BatchView,
  shape: Pick<InputShape, 'prefix' | 'lines'>,
  isPartial = false,
): Promise<CheckedFiles> {
  const wrong: string[] = []
  const say = (what: string): void => {
    // One mistake is rarely alone.
    if (wrong.length < 20) wrong.push(what)
  }
  const wanted = new Set(Array.from({ length: shape.lines }, (_, index) => customIdOf(shape, index)))
  const seen = new Set<string>()
  const readFile = async (id: string | null, name: string, check: (line: Line) => boolean): Promise<number> => {
    if (id === null) {
      say(`there is no ${name} file`)
      return 0
    }
    const lines = (await client.readContent(id)).split('\n')
    if (lines.pop() !== '') say(`the ${name} file does not end with a line break`)
    for (const text of lines) {
      const line = JSON.parse(text) as Line
      const { custom_id: customId } = line
      if (!wanted.has(customId)) say(`${customId} was not asked for`)
      if (seen.has(customId)) say(`${customId} is there twice`)
      if (!check(line)) say(`${customId} is wrong in the ${name} file: ${text.slice(0, 300)}`)
      seen.add(customId)
    }
    return lines.length
  }
  const isAnswered = ({ custom_id, response }: Line): boolean =>
    response?.status_code === 200 && response.body.choices?.[0]?.message.content === answerOf(custom_id)
  const isFailed = ({ custom_id, response }: Line): boolean => response?.status_code === 400 && isRefused(custom_id)
  const output = await readFile(batch.output_file_id, 'output', isAnswered)
  const error = await readFile(batch.error_file_id, 'error', isFailed)
  const { total, completed, failed } = batch.request_counts
  if (total !== shape.lines) say(`the total is ${total}, not ${shape.lines}`)
  if (completed !== output) say(`${completed} are counted as completed, and ${output} are in the output file`)
  if (failed !== error) say(`${failed} are counted as failed, and ${error} are in the error file`)
  if (!isPartial && seen.size !== shape.lines) say(`${shape.lines - seen.size} of ${shape.lines} lines are lost`)
  return { output, error, wrong }
}

/** Files of the key that are neither inputs nor named by a batch, and those named that are not there. */
export async function findOrphans(
  client: BatchClient,
  inputs: readonly string[],
  batches: readonly BatchView[],
): Promise<readonly string[]> {
  const named = batches.flatMap((batch) => [batch.output_file_id, batch.error_file_id].filter((id) => id !== null))
  const known = new Set([...inputs, ...named])
  const listed = (await client.listFiles()).map(({ id }) => id)
  const missing = [...known].filter((id) => !listed.includes(id)).map((id) => `${id} is not listed`)
  return [...listed.filter((id) => !known.has(id)).map((id) => `${id} belongs to no batch`), ...missing]
}
