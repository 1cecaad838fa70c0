import { expect, test } from 'bun:test'
import { Fault } from '../../core/fault.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { persist } from './persist.ts'

const signal = new AbortController().signal

function openWorld() {
  const told: object[] = []
  const log = { warn: (fields: object) => void told.push(fields) } as Partial<Logger> as Logger
  const startTimer = (act: () => void): (() => void) => {
    queueMicrotask(act)
    return () => {}
  }
  return { told, world: { startTimer, random: () => 0, log } }
}

/** A store that is away so often. */
function awayFor(times: number) {
  let left = times
  return async () => {
    if (left-- > 0) throw new Fault('storage-unavailable', 'The disk is full.')
    return 'there'
  }
}

test('a store that is away is waited for, and who waits long says once for what', async () => {
  const { told, world } = openWorld()
  expect(await persist(world, signal, awayFor(50))).toBe('there')
  expect(told).toEqual([{ reason: 'The disk is full.' }])
})

test('a moment is not worth a word', async () => {
  const { told, world } = openWorld()
  expect(await persist(world, signal, awayFor(2))).toBe('there')
  expect(told).toEqual([])
})

test('other failures, and those of a run that has ended, are passed on at once', async () => {
  const { world } = openWorld()
  const conflict = new Fault('conflict', 'It is held by another.')
  expect(persist(world, signal, () => Promise.reject(conflict))).rejects.toBe(conflict)
  expect(persist(world, AbortSignal.abort(), awayFor(1))).rejects.toThrow('The disk is full.')
})
