import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { Fault } from '../../core/fault.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Job, JobContext, JobHandler, JobOutcome } from '../../port/jobs/port.ts'
import { createWorld, type World } from './worker.fixture.ts'

let world: World
beforeEach(async () => {
  world = await createWorld()
})
afterEach(() => world.remove())

const leaseMs = 30_000
const done: JobOutcome = { kind: 'done' }
const handle = (run: JobHandler['run'], more: Partial<JobHandler> = {}): JobHandler => ({ leaseMs, run, ...more })
/** A handler whose jobs are done as soon as they were seen. */
const record = (see: (job: Job) => void, more: Partial<JobHandler> = {}) =>
  handle(async (job) => {
    see(job)
    return done
  }, more)
const add = (id: string, state: JsonObject = {}, inMs = 0) =>
  world.jobs.add({ kind: 'batch', id, state, runAt: world.now() + inMs })
const isGone = async () => (await world.jobs.nextDueAt(['batch'])) === undefined
const warnings = () => world.log.filter(({ level }) => level !== 'info').map(({ message }) => message)

/** A handler that stays at its job until it is told to end or let go. */
function createStayer(end: (context: JobContext) => JobOutcome | Promise<JobOutcome> = () => done) {
  const runs: { job: Job; context: JobContext; letGo: () => void }[] = []
  const handler = handle(async (job, context) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    runs.push({ job, context, letGo: resolve })
    context.signal.addEventListener('abort', () => resolve())
    await promise
    return end(context)
  })
  return { runs, handler }
}

describe('taking jobs', () => {
  test('does what is there and what becomes due, at its time', async () => {
    const seen: [string, number][] = []
    const begin = world.now()
    await add('now')
    await add('later', {}, 2_500)
    world.start({ batch: record((job) => seen.push([job.id, world.now() - begin])) })
    await world.pass(10_000)
    expect(seen).toEqual([
      ['now', 0],
      ['later', 2_500],
    ])
    expect(await isGone()).toBe(true)
  })

  test('sees what others added within seconds, and at once when it is nudged', async () => {
    const seen: string[] = []
    const worker = world.start({ batch: record((job) => seen.push(job.id)) })
    await world.pass(100)
    await add('of others')
    await world.pass(3_000)
    expect(seen).toEqual(['of others'])
    await world.pass(100)
    await add('own')
    worker.nudge()
    await world.pass(0)
    expect(seen).toEqual(['of others', 'own'])
  })

  test('asks rarely when there is nothing to do, and does not try to take', async () => {
    world.start({ batch: handle(async () => done), other: handle(async () => done) })
    await world.pass(60_000)
    expect(world.asked.nextDueAt).toBeLessThan(30)
    expect(world.asked.claim).toBe(0)
  })

  test('a job that goes on does so from its state, at its time', async () => {
    const seen: [JsonObject, number][] = []
    const begin = world.now()
    await add('a', { step: 0 })
    world.start({
      batch: handle(async ({ state }) => {
        seen.push([state, world.now() - begin])
        if (state.step === 2) return done
        return { kind: 'again', at: world.now() + 7_000, state: { step: (state.step as number) + 1 } }
      }),
    })
    await world.pass(20_000)
    expect(seen).toEqual([
      [{ step: 0 }, 0],
      [{ step: 1 }, 7_000],
      [{ step: 2 }, 14_000],
    ])
    expect(await isGone()).toBe(true)
  })

  test('does no more of a kind at a time than there are places, and other kinds do not wait for them', async () => {
    const stayer = createStayer()
    const others: string[] = []
    for (let i = 0; i < 5; i++) await add(`job-${i}`)
    await world.jobs.add({ kind: 'quick', id: 'q', state: {}, runAt: world.now() })
    world.start({
      batch: { ...stayer.handler, atOnce: 2 },
      quick: record((job) => others.push(job.id)),
    })
    await world.pass(10_000)
    expect(stayer.runs.map(({ job }) => job.id)).toEqual(['job-0', 'job-1'])
    expect(others).toEqual(['q'])
    stayer.runs[0]?.letGo()
    await world.pass(0)
    expect(stayer.runs.map(({ job }) => job.id)).toEqual(['job-0', 'job-1', 'job-2'])
  })

  test('of several workers, one does a job', async () => {
    const seen: string[] = []
    const ids = Array.from({ length: 40 }, (_, i) => `job-${i}`)
    for (const id of ids) await add(id)
    for (let i = 0; i < 3; i++) {
      world.start({
        batch: handle(async (job) => {
          await world.wait(200)
          seen.push(job.id)
          return done
        }),
      })
    }
    await world.pass(10_000)
    expect(seen.toSorted()).toEqual(ids.toSorted())
  })
})

describe('keeping jobs', () => {
  test('a job stays with its worker for as long as it takes', async () => {
    const { runs, handler } = createStayer()
    await add('a')
    world.start({ batch: handler })
    world.start({ batch: handler })
    await world.pass(20 * leaseMs)
    expect(runs).toHaveLength(1)
    expect(runs[0]?.context.signal.aborted).toBe(false)
    runs[0]?.letGo()
    await world.pass(0)
    expect(await isGone()).toBe(true)
    expect(warnings()).toEqual([])
  })

  test('when a worker dies, another one goes on from what was noted, after the lease', async () => {
    const starts: [JsonObject, number][] = []
    const begin = world.now()
    const handler = handle(async (job, { note }) => {
      starts.push([job.state, world.now() - begin])
      await note({ line: 5 })
      if (starts.length === 1) await world.wait(1_000_000)
      return done
    })
    await add('a', { line: 0 })
    const first = world.start({ batch: handler })
    await world.pass(1_000)
    first.kill()
    world.start({ batch: handler })
    await world.pass(leaseMs + 3_000)
    expect(starts).toEqual([
      [{ line: 0 }, 0],
      [{ line: 5 }, leaseMs],
    ])
    expect(await isGone()).toBe(true)
  })

  test('a worker that knows the former one to be dead goes on at once, and leaves what others have', async () => {
    const starts: [string, string, JsonObject, number][] = []
    const begin = world.now()
    const by = (worker: string) =>
      handle(
        async (job, { note }) => {
          starts.push([worker, job.id, job.state, world.now() - begin])
          await note({ line: 5 })
          if (worker !== 'second life') await world.wait(1_000_000)
          return done
        },
        { atOnce: 1 },
      )
    await add('a')
    const first = world.start({ batch: by('first life') }, 'one/17', 'one/')
    await world.pass(500)
    await add('b')
    world.start({ batch: by('other') }, 'two/17', 'two/')
    await world.pass(500)
    first.kill()
    world.setAway(true)
    world.start({ batch: by('second life') }, 'one/18', 'one/')
    await world.pass(50)
    world.setAway(false)
    await world.pass(leaseMs / 2)
    expect(starts.map(([worker, id, state]) => [worker, id, state])).toEqual([
      ['first life', 'a', {}],
      ['other', 'b', {}],
      ['second life', 'a', { line: 5 }],
    ])
    expect(starts.at(-1)?.[3]).toBeLessThan(leaseMs / 10)
  })

  test('a run that lost its job is told so, and what it notes or returns counts for nothing', async () => {
    const { runs, handler } = createStayer(() => ({ kind: 'again', at: 0, state: { of: 'the loser' } }))
    await add('a', { of: 'nobody' })
    world.start({ batch: handler })
    await world.pass(1_000)
    // A clock that is far ahead: another worker finds the lease run out, this one does not.
    const taken = await takeBy(leaseMs + 1_000)
    await world.pass(leaseMs / 3)
    expect(runs[0]?.context.signal.aborted).toBe(true)
    const reason = await runs[0]?.context.note({ of: 'the loser' }).catch((error: unknown) => error)
    expect(reason).toBeInstanceOf(Fault)
    expect(await world.jobs.release(taken, { of: 'the winner' }, world.now() + 1_000_000)).toBe(true)
    expect(warnings()).toEqual(['a job is held no more: whoever takes it next goes on with it'])
  })

  test('noting finds out at once that the job is lost', async () => {
    const { runs, handler } = createStayer()
    await add('a')
    world.start({ batch: handler })
    await world.pass(1_000)
    await takeBy(leaseMs + 1_000)
    const reason = await runs[0]?.context.note({}).catch((error: unknown) => error)
    expect(reason).toBeInstanceOf(Fault)
    expect(runs[0]?.context.signal.aborted).toBe(true)
  })

  /** Takes the job as a worker does whose clock is so far ahead. */
  async function takeBy(aheadMs: number): Promise<Job> {
    const ahead = await world.openAhead(aheadMs)
    const job = await ahead.claim(['batch'], 'ahead', 10 * leaseMs)
    if (job === undefined) throw new Error('the job was not free')
    return job
  }
})

describe('failing', () => {
  test('a run that throws is tried again later each time, but for ever, from what it noted last', async () => {
    const starts: [number, number, JsonObject][] = []
    const begin = world.now()
    await add('a', { line: 0 })
    world.start({
      batch: handle(async (job, { note, failures }) => {
        starts.push([world.now() - begin, failures, job.state])
        await note({ line: starts.length })
        throw new Error('no luck')
      }),
    })
    await world.pass(10 * 60_000)
    const [first, second, third] = starts
    expect(first).toEqual([0, 0, { line: 0 }])
    // A random number of 0.5: three quarters of 1, 2, 4 ... seconds, at most of a minute.
    expect(second).toEqual([750, 1, { line: 1 }])
    expect(third).toEqual([2_250, 2, { line: 2 }])
    const gaps = starts.slice(1).map(([at], i) => at - (starts[i] as [number, number, JsonObject])[0])
    expect(gaps.slice(0, 8)).toEqual([750, 1_500, 3_000, 6_000, 12_000, 24_000, 45_000, 45_000])
    expect(gaps.length).toBeGreaterThan(12)
  })

  test('one that went well starts counting anew', async () => {
    const counts: number[] = []
    await add('a')
    world.start({
      batch: handle(async (_, { failures }) => {
        counts.push(failures)
        if (counts.length % 3 !== 0) throw new Error('no luck')
        return { kind: 'again', at: world.now(), state: {} }
      }),
    })
    await world.pass(8_000)
    expect(counts.slice(0, 9)).toEqual([0, 1, 2, 0, 1, 2, 0, 1, 2])
  })

  test('the log knows what failed and where, and nothing of what the error says', async () => {
    await add('a')
    world.start({ batch: handle(async () => JSON.parse('"the caller\'s secret" !')) })
    await world.pass(100)
    const [line] = world.log
    expect(line).toMatchObject({
      level: 'error',
      fields: { kind: 'batch', id: 'a', failures: 1, error: 'SyntaxError' },
    })
    expect(JSON.stringify(world.log)).not.toContain('secret')
    expect(String(line?.fields.at)).toContain('worker.test.ts')
  })

  test('a handler without a store waits and has not failed', async () => {
    const counts: number[] = []
    await add('a')
    world.start({
      batch: handle(async (_, { failures }) => {
        counts.push(failures)
        if (counts.length < 6) throw new Fault('storage-unavailable', 'The store of files is away.')
        return done
      }),
    })
    await world.pass(30_000)
    expect(counts).toEqual([0, 0, 0, 0, 0, 0])
    expect(await isGone()).toBe(true)
  })
})

describe('a store that is away', () => {
  test('for longer than a lease: the run ends, and the job is done once the store is back', async () => {
    const { runs, handler } = createStayer()
    await add('a')
    world.start({ batch: handler })
    await world.pass(1_000)
    world.setAway(true)
    await world.pass(3 * leaseMs)
    expect(runs).toHaveLength(1)
    expect(runs[0]?.context.signal.aborted).toBe(true)
    world.setAway(false)
    await world.pass(10_000)
    expect(runs).toHaveLength(2)
    runs[1]?.letGo()
    await world.pass(0)
    expect(await isGone()).toBe(true)
    expect(world.log.filter(({ message }) => message.startsWith('the store of jobs'))).toMatchObject([
      { level: 'warn', fields: { code: 'storage-unavailable' } },
      { level: 'info' },
    ])
  })

  test('for less than a lease: a run that notes and ends meanwhile waits, and goes on', async () => {
    const noted: number[] = []
    await add('a')
    world.start({
      batch: handle(async (_, { note, signal }) => {
        await world.wait(1_000)
        for (let line = 1; line <= 3; line++) {
          await note({ line })
          noted.push(world.now())
        }
        expect(signal.aborted).toBe(false)
        return done
      }),
    })
    await world.pass(500)
    world.setAway(true)
    await world.pass(leaseMs - 5_000)
    expect(noted).toEqual([])
    world.setAway(false)
    await world.pass(3_000)
    expect(noted).toHaveLength(3)
    expect(await isGone()).toBe(true)
  })

  test('from the start: it is waited for, and chores are made then', async () => {
    const chores: number[] = []
    world.setAway(true)
    world.start({ sweep: record(() => chores.push(world.now()), { everyMs: 60_000 }) })
    await world.pass(90_000)
    expect(chores).toEqual([])
    world.setAway(false)
    await world.pass(5_000)
    expect(chores).toHaveLength(1)
  })

  test('is asked more and more rarely', async () => {
    world.setAway(true)
    world.start({ batch: handle(async () => done) })
    await world.pass(60_000)
    expect(world.asked.nextDueAt).toBeGreaterThan(10)
    expect(world.asked.nextDueAt).toBeLessThan(30)
  })
})

describe('stopping', () => {
  test('handlers are told; what they note and return then counts, and the rest is for the next worker at once', async () => {
    const states: JsonObject[] = []
    await add('notes', { line: 0 })
    await add('returns', { line: 0 })
    await add('ends', { line: 0 })
    const worker = world.start({
      batch: handle(async (job, { signal, note }) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        if (job.id === 'returns') return { kind: 'again', at: world.now(), state: { line: 2 } }
        if (job.id === 'ends') return done
        await note({ line: 1 })
        throw signal.reason
      }),
    })
    await world.pass(1_000)
    await worker.stop()
    expect(warnings()).toEqual([])
    world.start({ batch: record((job) => states.push({ [job.id]: job.state })) })
    await world.pass(0)
    expect(states).toHaveLength(2)
    expect(states).toContainEqual({ notes: { line: 1 } })
    expect(states).toContainEqual({ returns: { line: 2 } })
  })

  test('takes no more', async () => {
    const seen: string[] = []
    const worker = world.start({ batch: record((job) => seen.push(job.id)) })
    await world.pass(100)
    await worker.stop()
    await add('a')
    worker.nudge()
    await world.pass(60_000)
    expect(seen).toEqual([])
    expect(await world.jobs.claim(['batch'], 'other', leaseMs)).toMatchObject({ id: 'a' })
  })

  test('a handler that goes on all the same loses its job', async () => {
    let late: unknown
    await add('a', { line: 0 })
    const worker = world.start({
      batch: handle(async (_, { note }) => {
        await note({ line: 1 })
        await world.wait(60_000)
        late = await note({ line: 666 }).catch((error: unknown) => error)
        return done
      }),
    })
    await world.pass(1_000)
    const stopped = worker.stop(5_000)
    await world.pass(5_000)
    await stopped
    const job = await world.jobs.claim(['batch'], 'other', 10 * leaseMs)
    expect(job).toMatchObject({ id: 'a', state: { line: 1 } })
    await world.pass(60_000)
    expect(late).toBeInstanceOf(Fault)
    expect(await world.jobs.finish(job as Job)).toBe(true)
  })

  test('without its store it ends in time', async () => {
    await add('a')
    const { handler } = createStayer()
    const worker = world.start({ batch: handler })
    await world.pass(1_000)
    world.setAway(true)
    const stopped = worker.stop(5_000)
    await world.pass(7_000)
    await stopped
    expect(warnings().at(-1)).toContain('could not be given back')
  })
})

describe('chores', () => {
  test('are made once, by however many workers and starts, and come again', async () => {
    const times: number[] = []
    const begin = world.now()
    const handlers = { sweep: record(() => times.push(world.now() - begin), { everyMs: 60_000 }) }
    const first = world.start(handlers)
    world.start(handlers)
    await world.pass(61_000)
    await first.stop()
    world.start(handlers)
    await world.pass(61_000)
    expect(times).toEqual([0, 60_000, 120_000])
    expect(world.asked.add).toBe(3)
  })

  test('that have more to do go on at once, and that fail are tried again', async () => {
    const seen: JsonObject[] = []
    world.start({
      sweep: handle(
        async ({ state }) => {
          seen.push(state)
          if (seen.length === 1) return { kind: 'again', at: world.now(), state: { after: 200 } }
          if (seen.length === 2) throw new Error('no luck')
          return done
        },
        { everyMs: 60_000 },
      ),
    })
    await world.pass(62_000)
    expect(seen).toEqual([{}, { after: 200 }, { after: 200 }, {}])
  })
})
