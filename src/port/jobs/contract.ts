import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { JsonObject } from '../../core/json.ts'
import type { TablesFixture } from '../tables/contract.ts'
import type { Job, Jobs } from './port.ts'

const begin = 1_790_000_000_000
const leaseMs = 60_000

/** What every adapter does with durable work. `open` makes an empty store that takes the time from `now`. */
export function describeJobsContract(adapter: string, open: (now: () => number) => Promise<TablesFixture>): void {
  describe(`jobs port: ${adapter}`, () => {
    let fixture: TablesFixture
    let jobs: Jobs
    let time = begin
    const now = () => time

    beforeEach(async () => {
      time = begin
      fixture = await open(now)
      jobs = fixture.tables.jobs
    })
    afterEach(() => fixture.remove())

    const add = (id: string, runAt = begin, state: JsonObject = {}) => jobs.add({ kind: 'batch', id, state, runAt })
    async function take(owner = 'first', kinds: readonly string[] = ['batch']): Promise<Job> {
      const job = await jobs.claim(kinds, owner, leaseMs)
      if (job) return job
      throw new Error('there was no job to take')
    }
    const takeNone = async () => expect(await jobs.claim(['batch'], 'nobody', leaseMs)).toBeUndefined()

    test('begins empty', async () => {
      await takeNone()
      expect(await jobs.nextDueAt(['batch'])).toBeUndefined()
      await jobs.wake('batch', 'none')
      await takeNone()
    })

    test('of no kinds there is nothing', async () => {
      await add('a')
      expect(await jobs.claim([], 'first', leaseMs)).toBeUndefined()
      expect(await jobs.nextDueAt([])).toBeUndefined()
    })

    test('one that was added is taken with its state', async () => {
      const state = { phase: 'validating', line: 7, odd: `Größe 🙂 "'\\ ${'\u0000'}`, deep: [{ a: null }] }
      expect(await add('a', begin, state)).toBe(true)
      const job = await take()
      expect(job).toMatchObject({ kind: 'batch', id: 'a', state })
      expect(job.owner).toStartWith('first')
      await takeNone()
    })

    test('there is one of a kind and id, and adding it again changes nothing', async () => {
      expect(await add('a', begin, { of: 'the first' })).toBe(true)
      expect(await add('a', begin, { of: 'the second' })).toBe(false)
      expect(await jobs.add({ kind: 'chore', id: 'a', state: {}, runAt: begin })).toBe(true)
      const job = await take()
      expect(await add('a')).toBe(false)
      expect(job.state).toEqual({ of: 'the first' })
      await takeNone()
      await jobs.finish(job)
      expect(await add('a')).toBe(true)
    })

    test('kinds that nobody asks for stay', async () => {
      await jobs.add({ kind: 'chore', id: 'a', state: {}, runAt: begin })
      await takeNone()
      expect(await jobs.nextDueAt(['batch'])).toBeUndefined()
      expect((await take('first', ['batch', 'chore'])).kind).toBe('chore')
    })

    test('none is taken before its time, and the one that has been due for longest first', async () => {
      await add('late', begin + 300)
      await add('early', begin + 100)
      await add('middle', begin + 200)
      await takeNone()
      time = begin + 100
      expect((await take()).id).toBe('early')
      await takeNone()
      time = begin + 1_000
      expect((await take()).id).toBe('middle')
      expect((await take()).id).toBe('late')
    })

    test('every taking has a higher attempt', async () => {
      await add('a')
      const attempts: number[] = []
      for (let i = 0; i < 5; i++) {
        const job = await take()
        attempts.push(job.attempt)
        await jobs.release(job, {}, begin)
      }
      expect(attempts).toEqual([...new Set(attempts)].toSorted((a, b) => a - b))
    })

    test('a lease lasts until its end, and as long as it is renewed', async () => {
      await add('a')
      const job = await take()
      time = begin + leaseMs - 1
      await takeNone()
      expect(await jobs.renew(job, leaseMs)).toBe(true)
      time += leaseMs - 1
      await takeNone()
      time += 1
      expect((await take('second')).id).toBe('a')
    })

    test('whoever let his lease run out writes nothing any more, whether or not another one has the job', async () => {
      await add('a', begin, { line: 0 })
      const first = await take('first')
      expect(await jobs.note(first, { line: 1 })).toBe(true)
      time += leaseMs
      const triesAll = async () => [
        await jobs.renew(first, leaseMs),
        await jobs.note(first, { line: 666 }),
        await jobs.release(first, { line: 666 }, begin),
        await jobs.finish(first),
      ]
      expect(await triesAll()).toEqual([false, false, false, false])
      // The same worker again: its own former run is held back as well.
      const second = await take('first')
      expect(second.state).toEqual({ line: 1 })
      expect(await triesAll()).toEqual([false, false, false, false])
      await jobs.wake('batch', 'a')
      expect(await triesAll()).toEqual([false, false, false, false])
      expect(await jobs.note(second, { line: 2 })).toBe(true)
      expect(await jobs.release(second, { line: 3 }, time)).toBe(true)
      expect(await triesAll()).toEqual([false, false, false, false])
      expect((await take()).state).toEqual({ line: 3 })
    })

    test('a former holder has no part in a job that was added anew', async () => {
      await add('a')
      const former = await take()
      time += leaseMs
      await jobs.finish(await take())
      await add('a', time, { new: true })
      const job = await take()
      expect(await jobs.note(former, {})).toBe(false)
      expect(await jobs.finish(former)).toBe(false)
      expect(await jobs.note(job, {})).toBe(true)
    })

    test('one that was let go comes back at its time with its state', async () => {
      await add('a')
      expect(await jobs.release(await take(), { line: 5 }, begin + 500)).toBe(true)
      await takeNone()
      expect(await jobs.nextDueAt(['batch'])).toBe(begin + 500)
      time = begin + 500
      expect((await take('second')).state).toEqual({ line: 5 })
    })

    test('one that is done is gone, once', async () => {
      await add('a')
      const job = await take()
      expect(await jobs.finish(job)).toBe(true)
      expect(await jobs.finish(job)).toBe(false)
      expect(await jobs.note(job, {})).toBe(false)
      time += 10 * leaseMs
      await takeNone()
      expect(await jobs.nextDueAt(['batch'])).toBeUndefined()
    })

    test('one that waits is due when it is woken; one that is due keeps its place', async () => {
      await add('a', begin + 1_000_000)
      await add('b', begin - 5)
      await jobs.wake('batch', 'a')
      await jobs.wake('batch', 'b')
      expect(await jobs.nextDueAt(['batch'])).toBe(begin - 5)
      expect((await take()).id).toBe('b')
      expect((await take()).id).toBe('a')
    })

    test('one that is woken while it is held stays held, and is due at once when it is let go, once', async () => {
      await add('a')
      const job = await take()
      time += 10
      await jobs.wake('batch', 'a')
      await takeNone()
      expect(await jobs.renew(job, leaseMs)).toBe(true)
      expect(await jobs.note(job, { line: 1 })).toBe(true)
      expect(await jobs.release(job, { line: 2 }, begin + 1_000_000)).toBe(true)
      const again = await take()
      expect(again.state).toEqual({ line: 2 })
      expect(await jobs.release(again, {}, begin + 1_000_000)).toBe(true)
      await takeNone()
    })

    test('one that is woken before it is finished is not done yet', async () => {
      await add('a')
      const job = await take()
      await jobs.note(job, { line: 9 })
      await jobs.wake('batch', 'a')
      expect(await jobs.finish(job)).toBe(true)
      const again = await take()
      expect(again.state).toEqual({ line: 9 })
      expect(await jobs.finish(again)).toBe(true)
      await takeNone()
    })

    test('what the dead held is free at once, as they noted it, and what others hold or nobody does stays as it is', async () => {
      for (const id of ['a', 'b', 'c', 'd']) await add(id)
      const dead = [await take('node-1/17'), await take('node-1/18')]
      const other = await take('node-10/17')
      await jobs.note(dead[0] as Job, { line: 7 })
      await jobs.wake('batch', 'b')
      await jobs.release(await take('node-1/17'), {}, begin + 500)
      time += 10
      expect(await jobs.releaseOf('node-1/')).toBe(2)
      expect(await jobs.releaseOf('node-1/')).toBe(0)
      for (const job of dead) {
        expect(await jobs.renew(job, leaseMs)).toBe(false)
        expect(await jobs.note(job, { line: 666 })).toBe(false)
        expect(await jobs.finish(job)).toBe(false)
      }
      const again = [await take('node-1/19'), await take('node-1/19')].toSorted((a, b) => (a.id < b.id ? -1 : 1))
      expect(again.map(({ id, state }) => [id, state])).toEqual([
        ['a', { line: 7 }],
        ['b', {}],
      ])
      await takeNone()
      expect(await jobs.note(other, {})).toBe(true)
      expect(await jobs.releaseOf('')).toBe(3)
      expect(await jobs.nextDueAt(['batch'])).toBe(time)
    })

    test('tells when the next one is due, and when a lease ends', async () => {
      await add('a', begin + 5_000)
      await add('b', begin)
      expect(await jobs.nextDueAt(['batch'])).toBe(begin)
      const job = await take()
      expect(await jobs.nextDueAt(['batch'])).toBe(begin + 5_000)
      time = begin + 5_000
      await take()
      expect(await jobs.nextDueAt(['batch'])).toBe(begin + leaseMs)
      await jobs.renew(job, leaseMs)
      expect(await jobs.nextDueAt(['batch'])).toBe(begin + leaseMs + 5_000)
      expect(await jobs.nextDueAt(['other'])).toBeUndefined()
    })

    test('times need not be whole', async () => {
      await add('a', begin + 0.5)
      time = begin + 1
      await jobs.release(await take(), {}, begin + 100.25)
      expect(await jobs.nextDueAt(['batch'])).toBe(begin + 100)
    })

    test('kinds, ids and owners are data, not SQL', async () => {
      const odd = "x'); drop table job; --"
      await jobs.add({ kind: odd, id: odd, state: { odd }, runAt: begin })
      const job = await take(odd, [odd])
      expect(job).toMatchObject({ kind: odd, id: odd, state: { odd } })
      expect(await jobs.finish(job)).toBe(true)
    })

    test('everything is there after reopening, leases too', async () => {
      await add('held', begin, { line: 1 })
      const held = await take()
      await add('waits', begin + 10)
      jobs = (await fixture.reopen()).jobs
      await takeNone()
      expect(await jobs.note(held, { line: 2 })).toBe(true)
      time = begin + 10
      expect((await take()).id).toBe('waits')
    })

    test('of adders at the same time, one does', async () => {
      const added = await Promise.all(Array.from({ length: 20 }, (_, i) => add('a', begin, { i })))
      expect(added.filter(Boolean)).toHaveLength(1)
      expect((await take()).state).toEqual({ i: added.indexOf(true) })
    })

    test('of claimers at the same time, each job has one', async () => {
      const ids = Array.from({ length: 30 }, (_, i) => `job-${i}`)
      await Promise.all(ids.map((id) => add(id)))
      const round = async () => {
        const taken: Job[] = []
        // On PostgreSQL a claimer may find nothing while others are at the last rows, so they go on until all is taken.
        while (taken.length < ids.length) {
          const claims = Array.from({ length: 50 }, (_, i) => jobs.claim(['batch'], `worker-${i}`, leaseMs))
          taken.push(...(await Promise.all(claims)).filter((job) => job !== undefined))
        }
        expect(taken.map(({ id }) => id).toSorted()).toEqual(ids.toSorted())
        await takeNone()
        return taken
      }
      const first = await round()
      time += leaseMs
      const second = await round()
      expect((await Promise.all(first.map((job) => jobs.note(job, {})))).some(Boolean)).toBe(false)
      expect((await Promise.all(second.map((job) => jobs.finish(job)))).every(Boolean)).toBe(true)
    })

    test('of those who end one job at the same time, one does', async () => {
      await add('a')
      const job = await take()
      const ends = await Promise.all([
        jobs.finish(job),
        jobs.release(job, {}, begin),
        jobs.finish(job),
        jobs.release(job, {}, begin),
      ])
      expect(ends.filter(Boolean)).toHaveLength(1)
    })

    test('whatever workers do and whenever they stall or die, one holds a job and nothing is lost', async () => {
      let run = 0
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 80 }), async (steps) => {
          await play(jobs, steps, `run-${run++}`, (ms) => {
            time += ms
            return time
          })
        }),
        { numRuns: 60 },
      )
    })
  })
}

/** One worker does something with a job it has or once had, after a while. Stalling is a long while; dying, to do nothing any more. */
type Step = {
  readonly afterMs: number
  readonly worker: number
  readonly does: 'add' | 'claim' | 'renew' | 'note' | 'release' | 'finish' | 'wake'
  readonly id: number
  /** Which of the jobs it ever took, counted from the last. */
  readonly which: number
  readonly inMs: number
}

const step: fc.Arbitrary<Step> = fc.record({
  afterMs: fc.oneof(fc.constant(0), fc.nat(500), fc.nat(3_000)),
  worker: fc.nat(3),
  does: fc.constantFrom('add', 'claim', 'claim', 'claim', 'renew', 'note', 'note', 'release', 'finish', 'wake'),
  id: fc.nat(3),
  which: fc.oneof(fc.constant(0), fc.nat(2)),
  inMs: fc.nat(2_500),
})

const playLeaseMs = 1_000

/** What has to be true of a job, whatever the store says. */
type Expected = { holder: Job | undefined; until: number; dueAt: number; isWoken: boolean; state: JsonObject }

/** Plays the steps and compares each answer with the simplest book-keeping there is. Ends by doing all that is left. */
async function play(jobs: Jobs, steps: readonly Step[], kind: string, wait: (ms: number) => number): Promise<void> {
  const expected = new Map<string, Expected>()
  const taken: Job[][] = [[], [], [], []]
  let noted = 0
  let time = wait(0)
  const isFree = (job: Expected) => (job.holder === undefined || job.until <= time) && dueOf(job) <= time
  const dueOf = (job: Expected) => (job.holder === undefined ? job.dueAt : job.until)

  async function claim(worker: number): Promise<Job | undefined> {
    const free = [...expected].filter(([, job]) => isFree(job))
    const job = await jobs.claim([kind], `worker-${worker}`, playLeaseMs)
    if (job === undefined) {
      expect(free.map(([id]) => id)).toEqual([])
      return undefined
    }
    const book = expected.get(job.id) as Expected
    expect(free.map(([id]) => id)).toContain(job.id)
    expect(dueOf(book)).toBe(Math.min(...free.map(([, other]) => dueOf(other))))
    expect(job.state).toEqual(book.state)
    Object.assign(book, { holder: job, until: time + playLeaseMs, isWoken: false })
    return job
  }

  /** Who holds it by the book, if that is still this taking. */
  const bookOf = (job: Job): Expected | undefined => {
    const book = expected.get(job.id)
    return book?.holder === job && book.until > time ? book : undefined
  }
  const letGo = (job: Job, book: Expected, dueAt: number) => {
    expect(book.holder).toBe(job)
    Object.assign(book, { holder: undefined, dueAt: book.isWoken ? time : dueAt, isWoken: false })
  }

  for (const { afterMs, worker, does, id, which, inMs } of steps) {
    time = wait(afterMs)
    const name = `job-${id}`
    const own = taken[worker] as Job[]
    const job = own.at(-1 - which)
    const state = { noted: ++noted }
    if (does === 'add') {
      const isNew = !expected.has(name)
      expect(await jobs.add({ kind, id: name, state, runAt: time + inMs })).toBe(isNew)
      if (isNew) expected.set(name, { holder: undefined, until: 0, dueAt: time + inMs, isWoken: false, state })
    } else if (does === 'claim') {
      const got = await claim(worker)
      if (got) own.push(got)
    } else if (does === 'wake') {
      await jobs.wake(kind, name)
      const book = expected.get(name)
      if (book?.holder) book.isWoken = true
      else if (book) book.dueAt = Math.min(book.dueAt, time)
    } else if (job) {
      const book = bookOf(job)
      const isHeld = book !== undefined
      if (does === 'renew') {
        expect(await jobs.renew(job, playLeaseMs)).toBe(isHeld)
        if (book) book.until = time + playLeaseMs
      } else if (does === 'note') {
        expect(await jobs.note(job, state)).toBe(isHeld)
        if (book) book.state = state
      } else if (does === 'release') {
        expect(await jobs.release(job, state, time + inMs)).toBe(isHeld)
        if (book) letGo(job, Object.assign(book, { state }), time + inMs)
      } else {
        expect(await jobs.finish(job)).toBe(isHeld)
        if (book?.isWoken) letGo(job, book, time)
        else if (book) expected.delete(job.id)
      }
    }
    const dueAts = [...expected.values()].map(dueOf)
    expect(await jobs.nextDueAt([kind])).toBe(dueAts.length > 0 ? Math.min(...dueAts) : undefined)
  }

  // All die. Whatever was not finished is there for somebody else, as it was noted last.
  time = wait(10_000)
  while (expected.size > 0) {
    const job = (await claim(0)) as Job
    expect(await jobs.finish(job)).toBe(true)
    expected.delete(job.id)
  }
  expect(await claim(0)).toBeUndefined()
}
