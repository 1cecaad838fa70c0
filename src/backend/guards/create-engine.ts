import type { ChatCall } from '../../core/call.ts'
import { Fault } from '../../core/fault.ts'
import type { FilterEngine, Question, Segment, Verdict } from '../../core/filter/engine.ts'
import type { AnswerResult } from '../../core/result.ts'
import { createProfile } from '../../wire/guards/profiles/create-profile.ts'
import { mergeReadings, type Reading } from '../../wire/guards/reading.ts'
import { createService } from '../../wire/guards/services/create-service.ts'
import type { Timeouts, Transport } from '../transport/transport.ts'
import { engineFault, namedFault } from './engine-fault.ts'
import { findSpecProblems } from './find-spec-problems.ts'
import { defaultDeadlineMs, type EngineSpec, engineKinds, judgedCategories } from './kinds.ts'
import { createServiceClient } from './service-client.ts'

export type EngineDeps = {
  /** Opens a pool of connections to the origin. */
  openTransport(origin: URL, timeouts: Timeouts): Transport
  /** Asks a deployment of ours through routing, limits and metering, and no filter. Rejects with a Fault. */
  askDeployment(name: string, call: ChatCall, signal: AbortSignal): Promise<AnswerResult>
  /** Milliseconds since 1970; the clock of this machine when absent. */
  readonly now?: (() => number) | undefined
}

/** One question to a model or service: sent, and its answer read. */
type Ask = (signal: AbortSignal) => Promise<() => Reading>

/**
 * The engine that the operator described. Throws Fault `upstream-misconfigured` for a description that cannot work. `judge`
 * rejects, where nothing was found and a part of the question was not answered, with a Fault that names the engine, and never the text,
 * the answer or the secret.
 */
export function createFilterEngine(spec: EngineSpec, deps: EngineDeps): FilterEngine {
  const [problem] = findSpecProblems(spec, Boolean(spec.credential))
  if (problem) {
    throw new Fault(
      'upstream-misconfigured',
      `The filter engine "${spec.name}" cannot work: ${problem.field} ${problem.text}.`,
    )
  }
  const deadlineMs = spec.deadlineMs ?? defaultDeadlineMs
  const categories = judgedCategories(spec)
  const maxChars = spec.maxChars ?? engineKinds[spec.kind].maxChars
  const { label, buildAsks } =
    spec.kind === 'guard' ? createGuard(spec, deps, maxChars) : createHosted(spec, deps, maxChars)
  return {
    name: spec.name,
    label,
    categories,
    maxChars,
    deadlineMs,
    async judge(segments, question): Promise<Verdict> {
      const asked = new Set([...question.categories].filter((category) => categories.has(category)))
      const asks = readOwn(spec.name, () => buildAsks(segments, { ...question, categories: asked }))
      return askAll(spec.name, asks, question.signal)
    },
  }
}

type Kind = {
  readonly label: string
  buildAsks(segments: readonly Segment[], question: Question): readonly Ask[]
}

/** A deployment of ours that judges. */
function createGuard(
  { deployment = '', profile: profileName = 'judge', options = {} }: EngineSpec,
  deps: EngineDeps,
  maxChars: number,
): Kind {
  const profile = createProfile(profileName, options)
  return {
    label: `guard/${profileName}`,
    buildAsks: (segments, question) =>
      profile.buildCalls(segments, question, maxChars).map(({ call, read }) => async (signal) => {
        const result = await deps.askDeployment(deployment, { ...call, deployment }, signal)
        return () => read(result)
      }),
  }
}

/** A safety service over HTTP. */
function createHosted(spec: EngineSpec, deps: EngineDeps, maxChars: number): Kind {
  if (spec.kind === 'guard') throw new TypeError('a guard is no service')
  const { name, url, apiVersion, credential, options = {}, deadlineMs = defaultDeadlineMs } = spec
  // The caller's signal ends an answer that is late; this is for the day when nobody sets one.
  const ms = Math.max(deadlineMs.prompt, deadlineMs.window)
  const timeouts = { connectMs: ms, firstByteMs: ms, idleMs: ms, totalMs: ms }
  return readOwn(name, () => {
    const service = createService(spec.kind as Exclude<EngineSpec['kind'], 'guard'>, {
      url,
      apiVersion,
      credential,
      options,
    })
    const send = createServiceClient({
      service,
      credential,
      openTransport: (origin) => deps.openTransport(origin, timeouts),
      now: deps.now ?? Date.now,
    })
    return {
      label: service.label,
      buildAsks: (segments, question) =>
        service.buildRequests(segments, question, maxChars).map((ask) => async (signal) => {
          const answer = await send(ask, signal)
          return () => ask.read(answer)
        }),
    }
  })
}

/** All at once. Where some fail, what the others found still counts; nothing found by half of them means nothing. */
async function askAll(name: string, asks: readonly Ask[], signal: AbortSignal): Promise<Verdict> {
  const answers = await Promise.allSettled(
    asks.map(async (ask) => {
      const read = await ask(signal).catch((error: unknown) => {
        throw engineFault(name, error, signal)
      })
      return readOwn(name, read)
    }),
  )
  const verdict = mergeReadings(answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : [])))
  const failure = answers.find((answer) => answer.status === 'rejected')
  if (!failure) return verdict
  if (verdict.findings.length === 0) throw failure.reason
  return { ...verdict, isPartial: true }
}

/** Runs code of ours whose Faults quote nothing: their words may go on. Anything else that it throws is a mistake of ours. */
function readOwn<T>(name: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    throw namedFault(name, error.code, error.message.replace(/\.$/, ''))
  }
}
