import { expect, test } from 'bun:test'
import { createLock } from './lock.ts'

test('a lock that its holder never gives back is taken from it, and the holder learns of it', () => {
  const words = new Int32Array(new SharedArrayBuffer(8))
  const dead = createLock(words, 1, 0)
  const next = createLock(words, 1, 1)
  dead.take()
  expect(dead.isHeld()).toBe(true)
  next.take()
  expect(next.isHeld()).toBe(true)
  expect(dead.isHeld()).toBe(false)
  dead.give()
  expect(next.isHeld()).toBe(true)
  next.give()
  expect(words[1]).toBe(0)
})

test('each taking is told apart from the one before', () => {
  const words = new Int32Array(new SharedArrayBuffer(4))
  const lock = createLock(words, 0, 254)
  const seen = new Set<number>()
  for (let i = 0; i < 1_000; i++) {
    lock.take()
    seen.add(words[0] as number)
    lock.give()
  }
  expect(seen.size).toBe(1_000)
  expect(seen.has(0)).toBe(false)
})
