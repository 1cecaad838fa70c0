import { expect, test } from 'bun:test'
import { shareTransports } from './share-transports.ts'
import type { Timeouts } from './transport.ts'

const timeouts: Timeouts = { connectMs: 1, firstByteMs: 2, idleMs: 3, totalMs: 4 }

test('who calls the same origin in the same way shares connections, until the last has closed', async () => {
  const log: string[] = []
  let opened = 0
  const open = shareTransports(({ origin }) => {
    const id = `${origin} ${++opened}`
    return {
      request: ({ path }) => {
        log.push(`${id} asked ${path}`)
        return Promise.reject(new Error('no answer'))
      },
      close: () => void log.push(`${id} closed`),
    }
  })
  const ask = (transport: ReturnType<typeof open>, path: string) =>
    transport.request({ method: 'GET', path, headers: {} }, new AbortController().signal).catch(() => {})
  const one = open(new URL('https://a.example/x'), timeouts)
  const two = open(new URL('https://a.example/y'), timeouts)
  const slow = open(new URL('https://a.example'), { ...timeouts, idleMs: 9 })
  const other = open(new URL('https://b.example'), timeouts)
  for (const [index, transport] of [one, two, slow, other].entries()) await ask(transport, `/${index}`)
  one.close()
  one.close()
  await ask(two, '/still')
  two.close()
  const again = open(new URL('https://a.example'), timeouts)
  await ask(again, '/again')
  expect(log).toEqual([
    'https://a.example 1 asked /0',
    'https://a.example 1 asked /1',
    'https://a.example 2 asked /2',
    'https://b.example 3 asked /3',
    'https://a.example 1 asked /still',
    'https://a.example 1 closed',
    'https://a.example 4 asked /again',
  ])
})
