import { createFindings, type Findings } from './findings.ts'
import type { Complaint } from './oracle.ts'
import { deriveSeed } from './random.ts'

/** What a case came to. */
export type Tried = {
  readonly complaints: readonly Complaint[]
  /** How its requests ended, in words that are counted. */
  readonly ends: readonly string[]
  /** The parts that can be left out, for people. */
  readonly names: readonly string[]
  readonly input: string
  readonly seen: string
}

/** Cases of one kind, and what they are tried on. */
export type Suite = {
  readonly kind: string
  /** How many cases may run at once. */
  readonly lanes: number
  /** The case of `seed`; `keep` names the parts, by their place, that are not left out. */
  tryCase(seed: number, lane: number, keep?: ReadonlySet<number>): Promise<Tried>
  /** What is to be complained of that no case was told of, since the last look. */
  look(): readonly Complaint[]
  /** What has to be true when all cases have ended. */
  finish(): Promise<readonly Complaint[]>
  close(): Promise<void>
}

export type SuiteReport = {
  readonly kind: string
  readonly findings: Findings['list']
  /** How many requests ended in which way. */
  readonly tally: Readonly<Record<string, number>>
  readonly seconds: number
}

export type SuiteOptions = {
  readonly seed: number
  readonly cases: number
  readonly onProgress?: (done: number, all: number, findings: number) => void
}

const lookEvery = 200

/** Tries the cases of a suite, makes those that were complained of smaller, and looks at what is left behind. */
export async function runSuite(suite: Suite, { seed, cases, onProgress }: SuiteOptions): Promise<SuiteReport> {
  const startedMs = performance.now()
  const findings = createFindings()
  const tally: Record<string, number> = {}
  let next = 0
  let done = 0

  async function work(lane: number): Promise<void> {
    while (next < cases) {
      const index = next++
      await tryOne(index, lane).catch((error) => {
        const detail = error instanceof Error ? (error.stack ?? error.message) : String(error)
        note([{ name: 'the fuzzer itself failed', detail }], describeCase(suite.kind, seed, index))
      })
      if (++done % lookEvery !== 0) continue
      note(suite.look(), `one of the ${lookEvery} cases before ${index}`)
      onProgress?.(done, cases, findings.list.length)
    }
  }

  async function tryOne(index: number, lane: number): Promise<void> {
    const again = (keep?: ReadonlySet<number>) => suite.tryCase(deriveSeed(seed, index), lane, keep)
    const tried = await again()
    for (const end of tried.ends) tally[end] = (tally[end] ?? 0) + 1
    for (const { name } of tried.complaints) {
      if (!findings.note(`${suite.kind}: ${name}`)) continue
      const { keep, small } = await shrink(again, name, tried)
      const { detail } = [...small.complaints, ...tried.complaints].find((other) => other.name === name) as Complaint
      findings.describe(`${suite.kind}: ${name}`, {
        detail,
        reproduce: describeCase(suite.kind, seed, index, keep),
        input: small.input,
      })
    }
  }

  function note(complaints: readonly Complaint[], reproduce: string): void {
    for (const { name, detail } of complaints) {
      const title = `${suite.kind}: ${name}`
      if (findings.note(title)) findings.describe(title, { detail, reproduce, input: '' })
    }
  }

  await Promise.all(Array.from({ length: suite.lanes }, (_, lane) => work(lane)))
  note(suite.look(), 'one of the last cases')
  note(await suite.finish(), 'the whole run')
  return { kind: suite.kind, findings: findings.list, tally, seconds: (performance.now() - startedMs) / 1000 }
}

/** Leaves out what parts it can with the complaint still there. */
async function shrink(
  again: (keep: ReadonlySet<number>) => Promise<Tried>,
  complaint: string,
  first: Tried,
): Promise<{ readonly keep: readonly number[]; readonly small: Tried }> {
  let keep = first.names.map((_, i) => i)
  let small = first
  for (const dropped of [...keep]) {
    const fewer = keep.filter((i) => i !== dropped)
    const attempt = await again(new Set(fewer))
    if (!attempt.complaints.some(({ name }) => name === complaint)) continue
    keep = fewer
    small = attempt
  }
  return { keep, small }
}

function describeCase(kind: string, seed: number, index: number, keep?: readonly number[]): string {
  return `npm run fuzz -- --seed ${seed} --only ${kind}:${index}${keep ? ` --keep ${keep.join(',') || 'none'}` : ''}`
}
