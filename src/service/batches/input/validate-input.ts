import { setImmediate as turn } from 'node:timers/promises'
import type { Deployment } from '../../../core/deployment.ts'
import { Fault } from '../../../core/fault.ts'
import type { JsonObject } from '../../../core/json.ts'
import type { Job } from '../../../port/jobs/port.ts'
import type { BatchRow, NewLine } from '../../../port/tables/batches/port.ts'
import { type BatchEndpoint, readEndpoint } from '../endpoints.ts'
import type { BatchWorld } from '../parts.ts'
import { persist } from '../persist.ts'
import type { Problem } from './check-line.ts'
import { checkDeployment, createLineJudge, type LineJudge } from './judge-lines.ts'
import { beginProgress, type Progress, readProgress, writeProgress } from './progress.ts'
import { createLineSplitter, type InputLine, type LineSplitter } from './split-lines.ts'

export type Verdict =
  | { readonly kind: 'valid'; readonly deployment: Deployment; readonly total: number; readonly tokens: number }
  | { readonly kind: 'invalid'; readonly problems: readonly Problem[] }
  /** The batch is not to be validated any more. */
  | { readonly kind: 'unwanted' }

export type Validation = {
  readonly batch: BatchRow
  readonly job: Job
  readonly signal: AbortSignal
  note(state: JsonObject): Promise<void>
}

/** After so many others have their turn: reading them takes less than a millisecond. */
const bytesPerTurn = 64 * 1024

/**
 * Reads the input from where it was left, a piece at a time, judges its lines and adds them to the table. Rejects when the job is lost
 * or a store stays away.
 */
export async function validateInput(world: BatchWorld, validation: Validation): Promise<Verdict> {
  const { batch, job, signal } = validation
  const { files, settings } = world
  const endpoint = readEndpoint(batch.endpoint)
  const findDeployment = (name: string) => world.findDeployment(name, batch.owner)
  const id = batch.inputFileId

  const file = await persist(world, signal, () => files.find(batch.owner, id))
  if (!file) return invalid('input_no_permissions', `The input file ${id} is not there, or not for this key.`)
  if (file.bytes === 0) return invalid('empty_file', 'The input file is empty.')
  if (file.bytes > settings.maxInputBytes) {
    const message = `The input file has ${file.bytes} bytes, and a batch may have ${settings.maxInputBytes}.`
    return invalid('invalid_request', message)
  }
  const progress = readProgress(job.state) ?? beginProgress(file.bytes)
  if (file.bytes !== progress.fileBytes) return invalid('input_modified', 'The input file was changed since.')

  const judge = createLineJudge({ progress, endpoint, settings, findDeployment })
  try {
    if (!(await readInput(world, validation, progress, judge))) return { kind: 'unwanted' }
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'not-found') throw error
    return invalid('input_no_permissions', `The content of the input file ${id} is gone.`)
  }
  if (!judge.isOver() && progress.offset !== progress.fileBytes) {
    return invalid(
      'input_modified',
      `The input file has ${progress.offset} bytes and not ${progress.fileBytes} any more.`,
    )
  }
  return conclude(progress, endpoint, settings.maxProblems, findDeployment)
}

/** Whether the batch is still to be validated. */
async function readInput(
  world: BatchWorld,
  { batch, job, signal, note }: Validation,
  progress: Progress,
  judge: LineJudge,
): Promise<boolean> {
  const { table, files, settings } = world
  let portion: NewLine[] = []

  async function save(): Promise<boolean> {
    const lines = portion
    portion = []
    const taken = await persist(world, signal, () => table.addLines(job, batch.id, lines))
    if (!taken) throw new Fault('conflict', 'The job of this batch is held by another worker.')
    for (const { line, customId } of taken) judge.addProblem(refuseTwice(line, customId))
    await note(writeProgress(progress))
    return (await persist(world, signal, () => table.get(batch.id)))?.status === 'validating'
  }

  const splitter = createLineSplitter(progress, settings.maxLineBytes)
  // Each line is judged before the next piece comes: hundreds of megabytes go through the memory of one piece.
  const pieces = files.read(batch.inputFileId, { start: progress.offset }, { isReused: true })
  let turnAt = progress.offset + bytesPerTurn
  for await (const lines of readLines(pieces, splitter)) {
    for (const line of lines) {
      const added = judge.judge(line)
      if (added) portion.push(added)
      if (portion.length >= settings.portionLines && !(await save())) return false
      if (line.next < turnAt) continue
      await turn()
      signal.throwIfAborted()
      turnAt = line.next + bytesPerTurn
    }
    signal.throwIfAborted()
    if (judge.isOver()) break
  }
  return save()
}

function conclude(
  { model, problems, total, tokens }: Progress,
  endpoint: BatchEndpoint,
  maxProblems: number,
  findDeployment: (name: string) => Deployment | undefined,
): Verdict {
  if (problems.length > 0) {
    // Those that the table finds come later than others of their portion.
    const sorted = [...problems].sort((a, b) => (a.line ?? 0) - (b.line ?? 0))
    return { kind: 'invalid', problems: sorted.slice(0, maxProblems) }
  }
  if (model === undefined) return invalid('empty_batch', 'The input file has no requests.')
  // Asked again: reading may have begun before the configuration was last changed.
  const deployment = findDeployment(model)
  const problem = checkDeployment(deployment, model, endpoint)
  if (problem || !deployment) return { kind: 'invalid', problems: problem ? [{ ...problem, line: null }] : [] }
  return { kind: 'valid', deployment, total, tokens }
}

async function* readLines(
  pieces: AsyncIterable<Uint8Array>,
  splitter: LineSplitter,
): AsyncGenerator<readonly InputLine[]> {
  for await (const piece of pieces) yield splitter.push(piece)
  yield splitter.end()
}

function refuseTwice(line: number, customId: string): Problem {
  const message = `The custom_id ${JSON.stringify(customId.slice(0, 64))} of this line is that of another line too.`
  return { code: 'duplicate_custom_id', message, param: 'custom_id', line }
}

function invalid(code: Problem['code'], message: string): Verdict {
  return { kind: 'invalid', problems: [{ code, message, param: null, line: null }] }
}
