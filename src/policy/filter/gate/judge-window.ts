import { Fault } from '../../../core/fault.ts'
import type { Finding, Segment } from '../../../core/filter/engine.ts'
import { comparisonsOf } from '../compare.ts'
import type { Direction } from '../direction.ts'
import type { Ledger } from '../ledger.ts'
import { judgeRemotely, type RemoteParts, type RemoteVerdict } from '../remote/judge-remotely.ts'
import { builtinOf } from '../scan.ts'
import type { JudgeWindow } from './windows.ts'

/** What an answer is judged with. */
export type AnswerContext = {
  readonly direction: Direction
  /** What the caller asked, newest last, for engines that judge an answer by its question. */
  readonly asked: readonly Segment[]
  /** What an answer has to keep to. */
  readonly documents: readonly string[]
  readonly signal: AbortSignal
  readonly remote: RemoteParts
}

/** Whether any of the policy's rules takes its time, or needs whole sentences. */
export function needsWindows({ direction, documents }: AnswerContext): boolean {
  return direction.remote.length > 0 || comparisonsOf(direction.plan, direction.compared, documents).length > 0
}

/** Judges windows of one text of an answer, and notes what is found. Rejects with Fault `filter-unavailable` where the policy wants none unjudged. */
export function createWindowJudge(context: AnswerContext, ledger: Ledger, at: string): JudgeWindow {
  const { direction, asked, documents, signal, remote } = context
  const comparisons = comparisonsOf(direction.plan, direction.compared, documents)
  return async (window) => {
    const begin = window.from - window.context
    const answer: Segment = { role: 'assistant', text: window.text }
    let cutAt: number | undefined
    const noteAll = (findings: readonly Finding[], engine: string): void => {
      for (const finding of findings) {
        const place = Math.max(window.from, (finding.span?.start ?? window.context) + begin)
        if (ledger.note(finding, { at, offset: begin, engine })) cutAt = Math.min(cutAt ?? place, place)
      }
    }
    for (const compare of comparisons) noteAll(compare(window.text, begin), direction.plan.detector.label)
    if (direction.remote.length === 0) return cutAt
    const verdict = await judgeRemotely(
      {
        rules: direction.remote,
        version: direction.plan.version,
        segments: [...asked, answer],
        source: direction.source,
        topics: direction.topics,
        pace: 'window',
        signal,
        builtin: builtinOf(direction, [answer], asked.length),
      },
      remote,
    )
    for (const { finding, engine } of verdict.found) {
      // Of what was asked nothing is kept back here, and an engine may have judged that too.
      if (finding.span && finding.span.segment < asked.length) continue
      noteAll([finding], engine)
    }
    noteFailures(verdict, ledger)
    return cutAt
  }
}

/** Annotates what could not be judged, or refuses to go on without. */
export function noteFailures({ failed }: RemoteVerdict, ledger: Ledger): void {
  if (failed.length === 0) return
  const closed = failed.find(({ onError }) => onError === 'closed')
  if (closed) {
    throw new Fault(
      'filter-unavailable',
      `The content filter for ${closed.category} could not run (${closed.engines.map(({ name }) => name).join(', ')}), and the policy lets nothing pass without it. Try again later.`,
      { vendorCode: 'content_filter_error' },
    )
  }
  ledger.noteError()
}
