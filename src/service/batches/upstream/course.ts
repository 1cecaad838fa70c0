import type { CallKind } from '../../../core/call.ts'
import type { BatchOrder, NativeBatches } from '../../../core/reply.ts'
import type { Job } from '../../../port/jobs/port.ts'
import type { BatchRow } from '../../../port/tables/batches/port.ts'
import type { BatchWorld } from '../parts.ts'
import { persist } from '../persist.ts'
import { ask } from './ask.ts'
import { type Chunk, type UpstreamState, writeState } from './state.ts'

/** One run of a job at what its batch has upstream. */
export type Course = {
  readonly world: BatchWorld
  readonly batch: BatchRow
  readonly job: Job
  readonly kind: CallKind
  readonly signal: AbortSignal
  state(): UpstreamState
  /** Notes a change. Rejects when the job is lost. */
  save(change: Partial<UpstreamState>): Promise<void>
  replace(chunk: Chunk, change: Partial<Chunk>, more?: Partial<UpstreamState>): Promise<void>
  drop(chunk: Chunk, more?: Partial<UpstreamState>): Promise<void>
  /** Whether the batch is to be answered: not when it was cancelled, or its time is over. */
  isWanted(): Promise<boolean>
  /** When it stopped to be wanted or will, as far as the batch said that when the run began. Unix milliseconds. */
  readonly wantedUntil: number
  /** Makes the next `isWanted` look. */
  look(): void
  /** Where the batch goes; with `home`, where it has gone. */
  findBatches(home?: string): NativeBatches | undefined
}

const lookEveryMs = 2_000

export function openCourse(
  world: BatchWorld,
  batch: BatchRow,
  run: { readonly job: Job; readonly signal: AbortSignal; note(state: ReturnType<typeof writeState>): Promise<void> },
  kind: CallKind,
  begin: UpstreamState,
): Course {
  const { table, native, settings, now } = world
  const { job, signal, note } = run
  const expiresAt = settings.behaviour === 'openai' ? batch.expiresAt : Number.POSITIVE_INFINITY
  let state = begin
  let nextLookAt = now() + lookEveryMs
  let isInProgress = batch.status === 'in_progress'

  async function save(change: Partial<UpstreamState>): Promise<void> {
    state = { ...state, ...change }
    await note(writeState(state))
  }

  return {
    world,
    batch,
    job,
    kind,
    signal,
    state: () => state,
    save,
    replace: (chunk, change, more = {}) =>
      save({ ...more, chunks: state.chunks.map((one) => (one.tag === chunk.tag ? { ...one, ...change } : one)) }),
    drop: (chunk, more = {}) => save({ ...more, chunks: state.chunks.filter(({ tag }) => tag !== chunk.tag) }),
    async isWanted() {
      if (isInProgress && now() >= nextLookAt) {
        nextLookAt = now() + lookEveryMs
        isInProgress = (await persist(world, signal, () => table.get(batch.id)))?.status === 'in_progress'
      }
      return isInProgress && now() < expiresAt
    },
    wantedUntil: Math.min(batch.cancellingAt ?? expiresAt, expiresAt),
    look() {
      nextLookAt = 0
    },
    findBatches: (home) => native.find(batch.deployment ?? '', batch.owner, kind, home),
  }
}

export function orderOf({ tag, count, staged, orderedAt }: Chunk, kind: CallKind): BatchOrder {
  return { tag, kind, count, staged, orderedAt }
}

/** What cannot be taken away stays: it costs nothing. */
export async function discardFiles(
  { signal }: Pick<Course, 'signal'>,
  batches: NativeBatches,
  files: readonly string[],
): Promise<void> {
  for (const file of files) await ask(signal, () => batches.discard(file, signal))
}
