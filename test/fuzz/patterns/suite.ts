import type { Match, TextMatcher } from '../../../src/policy/filter/match/text-matcher.ts'
import { readBlocklist } from '../../../src/snapshot/filter/blocklist-spec.ts'
import { compileList } from '../../../src/snapshot/filter/list-matcher.ts'
import type { Complaint } from '../oracle.ts'
import { createRandom } from '../random.ts'
import type { Suite, Tried } from '../suite.ts'
import { cutAnywhere, drawItem, drawPattern, drawShortText, drawText, type Item } from './draw.ts'

/** Work that is bounded by the text's length is far from this, on a slow machine too. */
const hangMs = 15_000

/**
 * Blocklists with hostile patterns: each is refused with a reason, or finds in a text that comes in pieces what it finds in the whole one,
 * holds back whatever it tells of later, and takes time in proportion to the text.
 */
export function openPatternsSuite(): Suite {
  return {
    kind: 'patterns',
    lanes: 1,
    tryCase: async (seed, _lane, keep) => (createRandom(seed).chance(0.35) ? tryMeaning(seed) : tryList(seed, keep)),
    look: () => [],
    finish: async () => [],
    close: async () => {},
  }
}

/** Items are the parts that can be left out. */
function tryList(seed: number, keep: ReadonlySet<number> | undefined): Tried {
  const random = createRandom(seed)
  random.next()
  const drawn = Array.from({ length: random.int(1, 5) }, () => drawItem(random))
  const text = drawText(drawn, random)
  const pieces = cutAnywhere(text, random)
  const items = drawn.filter((_, i) => !keep || keep.has(i))
  const complaints: Complaint[] = []
  const started = process.cpuUsage()
  let end = 'refused'
  try {
    const usable = items.filter((item) => isUsable(item, complaints))
    if (usable.length > 0) {
      end = 'judged'
      const { matcher } = compileList(usable.map((item, i) => ({ name: String(i), ...item })))
      const whole = matcher.find(text)
      if (whole.length > 0) end = 'found'
      complaints.push(...judgeStream(matcher, text, pieces, whole))
      if (show(matcher.find(text)) !== show(whole))
        complaints.push({ name: 'another thing is found again', detail: '' })
    }
  } catch (error) {
    const { message, stack = '' } = error as Error
    complaints.push({ name: `it throws: ${message.slice(0, 80)}`, detail: stack })
  }
  const { user, system } = process.cpuUsage(started)
  if ((user + system) / 1_000 > hangMs) complaints.push({ name: 'hang', detail: `${(user + system) / 1_000} ms` })
  return {
    complaints,
    ends: [end],
    names: drawn.map(({ pattern }) => pattern),
    input: `${JSON.stringify(items)}\n${JSON.stringify(pieces).slice(0, 3000)}`,
    seen: end,
  }
}

/** Whether an operator may write it; what is refused is refused with a reason. */
function isUsable({ pattern, isRegex }: Item, complaints: Complaint[]): boolean {
  const reading = readBlocklist({ name: 'list', items: [{ pattern, isRegex }] })
  if (!('problems' in reading)) return true
  for (const { text } of reading.problems)
    if (text.trim() === '' || /undefined|\[object/.test(text.replaceAll(pattern, '')))
      complaints.push({ name: 'a refusal without a reason', detail: text })
  return false
}

const show = (matches: readonly Match[]): string =>
  matches
    .map(({ start, end, pattern }) => `${start}-${end}:${pattern}`)
    .sort()
    .join(' ')

function judgeStream(
  matcher: TextMatcher,
  text: string,
  pieces: readonly string[],
  whole: readonly Match[],
): Complaint[] {
  const stream = matcher.open()
  const found: Match[] = []
  const complaints: Complaint[] = []
  const note = (name: string, detail: unknown): void =>
    void complaints.push({ name, detail: `${JSON.stringify(detail)}\nwhole: ${show(whole).slice(0, 1000)}` })
  let read = 0
  for (const piece of [...pieces, undefined]) {
    const { settled } = stream
    read += piece?.length ?? 0
    const matches = piece === undefined ? stream.end() : stream.feed(piece)
    const early = matches.find(({ start }) => start < settled)
    if (early) note('what was given out begins a match', { early, settled, read })
    if (stream.settled < settled) note('less is settled than was', { settled, now: stream.settled })
    if (stream.settled > read) note('more is settled than was read', { read, settled: stream.settled })
    found.push(...matches)
  }
  if (stream.settled !== text.length) note('not all is settled at the end', { settled: stream.settled, read })
  if (show(found) !== show(whole)) note('in pieces another thing is found', show(found).slice(0, 1000))
  const isSound = ({ start, end }: Match): boolean => start >= 0 && start < end && end <= text.length
  const unsound = whole.find((match) => !isSound(match))
  if (unsound) note('a match that is none', unsound)
  return complaints
}

/** The first match begins where JavaScript's does. */
function tryMeaning(seed: number): Tried {
  const random = createRandom(seed)
  random.next()
  const pattern = drawPattern(random)
  const text = drawShortText(random)
  const input = `${pattern}\n${JSON.stringify(text)}`
  const done = (end: string, complaints: readonly Complaint[] = []): Tried => ({
    complaints,
    ends: [end],
    names: [],
    input,
    seen: end,
  })
  const reference = new RegExp(pattern, 'u')
  // Nothing is found where nothing stands, and what else such a pattern finds depends on what it prefers.
  if (reference.test('') || !isUsable({ pattern, isRegex: true }, [])) return done('not compared')
  const { matcher } = compileList([{ name: 'it', pattern, isRegex: true }])
  const wanted = reference.exec(text)
  const matches = matcher.find(text)
  if (wanted?.[0] === '') return done('not compared')
  const first = Math.min(...matches.map(({ start }) => start))
  if (wanted === null && matches.length === 0) return done('meant')
  if (wanted && first === wanted.index) return done('meant')
  const detail = `JavaScript: ${wanted ? `${wanted.index} ${JSON.stringify(wanted[0])}` : 'nothing'}, found: ${show(matches)}`
  return done('meant', [{ name: 'a pattern means another thing', detail }])
}
