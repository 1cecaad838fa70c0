import { toFault } from '../../../core/fault.ts'
import type { JsonObject } from '../../../core/json.ts'
import type { ItemRow, RunRow, RunStatus } from '../../../port/tables/runs/port.ts'
import { thoughtShape } from '../../../wire/openai-responses/answer/items.ts'
import { type Context, loadContext } from '../context/load-context.ts'
import { measure, measureItem } from '../context/measure.ts'
import { resolveFiles } from '../context/resolve-files.ts'
import { writeInput } from '../context/write-input.ts'
import type { RunWorld } from '../parts.ts'
import { stateOf } from '../state.ts'
import { answerTokensLeft, callsLeft, cutEnding, judgeBudgets, promptTokensLeft, truncationOf } from './budgets.ts'
import { answerApprovals } from './calls/approvals.ts'
import { beginCalls, finishFunctions, openCalls } from './calls/begin-calls.ts'
import { isPaused, knowSources, runHostedCalls } from './calls/hosted-calls.ts'
import { isUnfinished, openRunTools, type RunTools } from './calls/tools.ts'
import { type Course, cutShort, openCourse } from './course.ts'
import { describeRunFailure } from './failure.ts'
import { openAnswerFold } from './fold-answer.ts'
import { Halt, unlessHalted } from './halt.ts'
import { annotateFiles, filesSince } from './made-files.ts'
import { createMakeItem, type MakeItem } from './make-item.ts'
import { type MarkReader, openMarkReader } from './marks.ts'
import { readTurnCall } from './request.ts'
import type { Sink } from './sink.ts'
import { type TurnResult, takeTurn } from './take-turn.ts'

export type LoopStart = {
  readonly run: RunRow
  /** What it has made before, in order: where it waited, or another server went on with it. */
  readonly made: readonly ItemRow[]
  /** Outputs of the caller's functions. */
  readonly outputs: readonly ItemRow[]
  /** What it was given that lies in no table. */
  readonly given: readonly ItemRow[]
  readonly sink: Sink
  /** Aborted with a Halt. */
  readonly signal: AbortSignal
}

/**
 * A run from where it stands to where it ends or waits for its caller: the model is asked, what it says is told and written, what it calls
 * is done, and so on. Rejects with the Halt where the run is not ours any more; everything else that happens is how the run ends.
 */
export async function runToRest(start: LoopStart, world: RunWorld): Promise<RunRow> {
  const { now } = world
  const { signal } = start
  const course = openCourse(start.run, start.made, start.sink, now)
  let tools: RunTools | undefined
  try {
    signal.throwIfAborted()
    begin(course, now())
    tools = await unlessHalted(openTools(course, start, world), signal)
    const makeItem = createMakeItem(start.run, world)
    const marks = openMarkReader()
    knowSources(course.made, marks)
    return await advance({ ...start, course, tools, makeItem, marks, world })
  } catch (error) {
    return await stop(course, error, now())
  } finally {
    // Nobody waits for a tool that takes its time to end.
    void tools?.close()
  }
}

type Loop = LoopStart & {
  readonly course: Course
  readonly tools: RunTools
  readonly makeItem: MakeItem
  readonly marks: MarkReader
  readonly world: RunWorld
}

async function advance(loop: Loop): Promise<RunRow> {
  const { course, tools, makeItem, marks, outputs, signal, world } = loop
  const { now } = world
  const waits = stateOf(course.run).functions === 'wait'
  let share = 1
  let context = await unlessHalted(readContext(loop, share), signal)
  showTools(loop, context.items)
  const told = await answerApprovals({ ...loop, context: context.items, now })

  for (;;) {
    signal.throwIfAborted()
    if (course.engine.phase === 'tools') {
      await runHostedCalls(course, tools, marks, signal, now)
      if (openCalls(course.made, outputs).length > 0) return course.rest(waits ? 'requires_action' : 'completed')
      if (course.made.some(isPaused)) return course.rest('completed')
      course.note({ phase: 'model' })
    }
    const own = [...course.made, ...outputs]
    const ending = judgeBudgets(course.run, context.tokens + sumTokens(own) + fixedTokens(loop), world.settings)
    if (ending) return course.rest(ending.status, ending)

    const dropsUnanswered = course.run.kind === 'run' || !context.isWhole
    const input = [...writeInput([...context.items, ...own], dropsUnanswered), ...told]
    const stepId = world.makeId('step_')
    const turn = await askModel(loop, input, stepId)
    if (turn === 'too-long') {
      // We count tokens about right only: a model that finds its prompt too long is shown less.
      share *= 0.6
      context = await unlessHalted(readContext(loop, share), signal)
      continue
    }
    countTurn(course, turn)
    if (turn.reason === 'length' || turn.reason === 'content_filter') {
      endOpen(course, 'incomplete', now())
      const cut = cutEnding(course.run, turn.reason)
      return course.rest(cut.status, cut)
    }
    if (turn.calls.length === 0) return course.rest('completed')
    beginCalls(course, tools, turn.calls, stepId, makeItem, turn.usageDocument)
    if (!waits) finishFunctions(course, now())
    // Without calls of ours there is nothing to lose between here and the next write.
    if (course.made.some(isUnfinished)) await unlessHalted(course.commit(), signal)
  }
}

/** One turn of the model; `too-long` where it says so and could be shown less. */
async function askModel(loop: Loop, input: readonly JsonObject[], stepId: string): Promise<TurnResult | 'too-long'> {
  const { course, tools, makeItem, marks, signal, world } = loop
  const { run, made } = course
  const files = filesSince(made)
  const call = readTurnCall(run, tools, {
    input: await unlessHalted(resolveFiles(input, run.owner, world), signal),
    mayCallHosted: callsLeft(run) > 0,
    maxOutputTokens: answerTokensLeft(run),
    isFirst: course.engine.turns === 0,
  })
  const fold = openAnswerFold({
    course,
    shape: thoughtShape(run.request),
    marks,
    isHosted: (name) => tools.find(name) !== undefined,
    makeItem,
    callStep: stepId,
    makeStep: () => world.makeId('step_'),
    images: files.flatMap(({ fileId, isImage }) => (isImage ? [fileId] : [])),
    annotateEnd: (text) => annotateFiles(files, text),
    now: world.now,
  })
  try {
    return await takeTurn(course, call, fold, world, signal)
  } catch (error) {
    const isTooLong = toFault(error).code === 'context-length-exceeded'
    if (!isTooLong || fold.hasBegun || truncationOf(run).type !== 'auto' || input.length < 2) throw error
    return 'too-long'
  }
}

function countTurn(course: Course, { usage }: TurnResult): void {
  const { turns, input, cached, output, reasoning } = course.engine
  course.note({
    turns: turns + 1,
    input: input + (usage?.promptTokens ?? 0),
    cached: cached + (usage?.cachedTokens ?? 0),
    output: output + (usage?.completionTokens ?? 0),
    reasoning: reasoning + (usage?.reasoningTokens ?? 0),
  })
}

async function openTools(course: Course, { signal }: LoopStart, world: RunWorld): Promise<RunTools> {
  const { owner, id, threadId, request, kind } = course.run
  const asked = Array.isArray(request.include) ? request.include.filter((name) => typeof name === 'string') : []
  // Steps of the old API show what was found and printed, whoever asks.
  const include = kind === 'run' ? [...asked, 'file_search_call.results', 'code_interpreter_call.outputs'] : asked
  return openRunTools(course.run, world.tools, {
    owner,
    runId: id,
    threadId,
    include,
    signal,
    makeId: world.makeId,
  })
}

/** Items that tools show before anything is said, where the conversation does not have them yet. */
function showTools({ course, tools, makeItem, world }: Loop, context: readonly ItemRow[]): void {
  const nameOf = ({ type, server_label: label }: JsonObject): string => `${type} ${label}`
  const known = new Set([...context, ...course.made].map(({ document }) => nameOf(document)))
  for (const { id, ...document } of tools.items) {
    if (known.has(nameOf(document))) continue
    const made = makeItem(String(document.type), 'item_', document, '')
    const item: ItemRow = { ...made, id: typeof id === 'string' ? id : made.id }
    course.add(item)
    course.finish({ ...item, status: 'completed', endedAt: world.now() })
  }
}

/** `share`: of what the model is thought to take, how much it is shown. */
function readContext(loop: Loop, share: number): Promise<Context> {
  const { course, given, world } = loop
  const { run } = course
  const { table, settings, contextTokens } = world
  const truncation = truncationOf(run)
  if (truncation.type === 'disabled') {
    return loadContext(table, run, given, { tokens: Number.POSITIVE_INFINITY, items: settings.maxItems })
  }
  const window = contextTokens?.(run.owner, String(run.request.model ?? '')) ?? settings.contextTokens
  const answer = Math.min(answerTokensLeft(run) ?? settings.answerTokens, window / 2)
  const room = Math.min(window - answer, promptTokensLeft(run)) - fixedTokens(loop) - sumTokens(course.made)
  const items = Math.min(truncation.lastMessages ?? settings.maxItems, settings.maxItems)
  return loadContext(table, run, given, { tokens: Math.max(0, room) * share, items })
}

function fixedTokens({ course, tools }: Loop): number {
  return measure(course.run.request.instructions) + measure([...tools.instructions]) + measure([...tools.offered])
}

function sumTokens(items: readonly ItemRow[]): number {
  return items.reduce((sum, item) => sum + measureItem(item), 0)
}

/** What a server before us left unfinished is told to be so; calls of hosted tools without an outcome are done again. */
function begin(course: Course, now: number): void {
  course.begin()
  for (const item of [...course.made]) {
    const isWaiting = item.type === 'function_call' && course.engine.phase === 'tools'
    if (item.status !== 'in_progress' || isWaiting || isUnfinished(item)) continue
    course.finish(cutShort(item, 'failed', now))
  }
}

function endOpen(course: Course, ending: RunStatus, now: number): void {
  for (const item of [...course.made]) {
    if (item.status === 'in_progress') course.finish(cutShort(item, ending, now))
  }
}

const endingTexts = {
  'too-long': 'The run took longer than a run may take on this server.',
  orphaned:
    'The server that made this answer stopped before it was complete. Ask for it in the background (background: true) to have another one go on with it.',
} as const

/** How a run ends that did not come to its end by itself. Rejects with the Halt where that is not ours to say. */
async function stop(course: Course, error: unknown, now: number): Promise<RunRow> {
  if (error instanceof Halt) {
    switch (error.reason) {
      case 'cancelled':
        course.sink.mayBe('cancelling')
        if (course.run.status !== 'cancelling') course.change('cancelling')
        endOpen(course, 'cancelled', now)
        return course.rest('cancelled')
      case 'expired':
        endOpen(course, 'expired', now)
        return course.rest('expired')
      case 'too-long':
      case 'orphaned':
        endOpen(course, 'failed', now)
        return course.rest('failed', { lastError: { code: 'server_error', message: endingTexts[error.reason] } })
      default:
        throw error
    }
  }
  const { lastError, fault } = describeRunFailure(error, course.run.id)
  course.noteFault(fault)
  endOpen(course, 'failed', now)
  return course.rest('failed', { lastError })
}
