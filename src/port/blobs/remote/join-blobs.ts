import { blobNotFound } from '../blob-faults.ts'
import type { Blobs } from '../port.ts'
import { type JoinLimits, type JoinStep, type PartRange, planJoin } from './join-plan.ts'

const atATime = 4

export type JoinTools = Pick<Blobs, 'read' | 'size' | 'write'> & {
  /** Makes a blob of numbered parts, or of nothing when `fill` rejects. */
  writeParts(key: string, fill: (target: PartTarget) => Promise<void>): Promise<void>
}

/** Takes the parts of a blob. `index` counts from 0; the order of the calls does not matter. */
export type PartTarget = {
  add(index: number, content: Uint8Array): Promise<void>
  copy(index: number, range: PartRange): Promise<void>
}

/** `Blobs.join` for a store that can make a part of a blob by copying from another blob. */
export async function joinBlobs(
  { read, size, write, writeParts }: JoinTools,
  key: string,
  partKeys: readonly string[],
  limits: JoinLimits,
): Promise<{ bytes: number }> {
  const parts: { key: string; bytes: number }[] = []
  for (const group of inGroups(partKeys)) {
    const sizes = await Promise.all(group.map(size))
    if (sizes.includes(undefined)) throw blobNotFound()
    parts.push(...group.map((part, i) => ({ key: part, bytes: sizes[i] as number })))
  }
  const steps = planJoin(parts, limits)
  const readStep = async function* ({ ranges }: JoinStep): AsyncGenerator<Uint8Array> {
    for (const { key: part, start, end } of ranges) yield* read(part, { start, end })
  }
  if (!steps.some(({ isCopy }) => isCopy)) {
    const all = async function* (): AsyncGenerator<Uint8Array> {
      for (const step of steps) yield* readStep(step)
    }
    return write(key, all())
  }
  await writeParts(key, async (target) => {
    const addStep = async (step: JoinStep, index: number): Promise<void> => {
      if (step.isCopy) return target.copy(index, step.ranges[0] as PartRange)
      await target.add(index, Buffer.concat(await Array.fromAsync(readStep(step))))
    }
    for (const group of inGroups(steps.map((step, index) => ({ step, index })))) {
      // All of them have ended before what was begun is given up: a part that comes later would stay.
      const ended = await Promise.allSettled(group.map(({ step, index }) => addStep(step, index)))
      const failed = ended.find(({ status }) => status === 'rejected')
      if (failed?.status === 'rejected') throw failed.reason
    }
  })
  return { bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0) }
}

function* inGroups<Item>(items: readonly Item[]): Generator<Item[]> {
  for (let at = 0; at < items.length; at += atATime) yield items.slice(at, at + atATime)
}
