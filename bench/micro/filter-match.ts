import { compilePatterns } from '../../src/policy/filter/match/regex/compile-patterns.ts'
import { compileTerms } from '../../src/policy/filter/match/terms.ts'
import type { TextMatcher } from '../../src/policy/filter/match/text-matcher.ts'
import type { Bench } from './bench.ts'

/** One go is a thousand characters of a text in which nothing is found, read again and again. */

const sentences = [
  'The harbour was quiet when the ferry came in, an hour late and half empty; nobody on the pier seemed to mind.',
  'Please send the figures for March by Thursday, and tell Ms. Okafor that the second invoice (no. 4,117) was paid.',
  'If the pump stops again, check the valve first: in 2019 it took us two days to find out that it had been closed.',
  'She wrote that the garden needs rain, that the cat is well, and that she would rather come by train than by car.',
]
const text = Array.from({ length: 40 }, (_, i) => sentences[i % sentences.length]).join(' ')

const thousands = text.length / 1_000

/** Words that look like words: their beginnings are as common in the text as those of real ones. */
function makeTerms(count: number): string[] {
  const starts = ['har', 'the', 'pu', 'sec', 'fi', 'gar', 'inv', 'tr', 'wa', 'mo', 'ca', 'di', 'se', 'ple', 'be', 'ro']
  const middles = ['ba', 'cu', 'ki', 'mon', 'per', 'ta', 'lo', 'ri', 'ves', 'du', 'gno']
  const ends = ['x', 'nk', 'rd', 'zzle', 'mp', 'ft', 'ggo', 'sk', 'lch']
  return Array.from({ length: count }, (_, i) => {
    const word = `${starts[i % 16]}${middles[(i >> 4) % 11]}${middles[Math.floor(i / 176) % 11]}${ends[Math.floor(i / 1_936) % 9]}`
    return i % 10 === 0 ? `${word} ${ends[i % 9]}${middles[i % 11]}` : word
  })
}

const patterns = [
  '\\b\\d{3}-\\d{2}-\\d{4}\\b',
  '\\b(?:\\d[ -]?){13,19}\\b',
  '[\\w.+-]+@[\\w-]+\\.[\\w.]+',
  'AKIA[0-9A-Z]{16}',
  'gh[pous]_[A-Za-z0-9]{36}',
  '(?i)password\\s*[:=]\\s*\\S+',
  '(?i)\\bproject\\s+(?:falcon|osprey)\\b',
  'https?://internal\\.[a-z]+/\\S*',
  '-----BEGIN [A-Z ]+-----',
  '\\beyJ[\\w-]+\\.[\\w-]+\\.[\\w-]+',
  '(?i)\\bconfidential\\b',
  '\\b[A-Z]{2}\\d{2}(?: ?[A-Z0-9]{4}){3,7}\\b',
  '\\b(?:\\d{1,3}\\.){3}\\d{1,3}\\b',
  '(?i)internal use only',
  '\\bEMP-\\d{6}\\b',
  'xox[abp]-[\\w-]+',
  '(?i)\\bticket\\s*#\\d+',
  '\\+\\d{1,3}[ -]\\d{3,}',
  '(?i)drop\\s+table\\s+\\w+',
  '\\p{Lu}{5,}_\\p{Lu}+',
].map((source) => ({ source }))

function scan(name: string, matcher: TextMatcher): Bench[] {
  return [
    {
      name: `policy/filter/match: 1,000 characters of a whole text, ${name}`,
      run(times) {
        for (let done = 0; done < times; done += thousands) {
          if (matcher.find(text).length > 0) throw new Error('the text was to have no match')
        }
      },
    },
    {
      name: `policy/filter/match: 1,000 characters of a stream, four at a time, ${name}`,
      run(times) {
        for (let done = 0; done < times; done += thousands) {
          const stream = matcher.open()
          for (let at = 0; at < text.length; at += 4) stream.feed(text.slice(at, at + 4))
        }
      },
    },
  ]
}

const terms = (count: number) => makeTerms(count).map((text) => ({ text }))

export const filterMatchBenches: readonly Bench[] = [
  ...scan('1,600 terms', compileTerms(terms(1_600))),
  ...scan('10,000 terms', compileTerms(terms(10_000))),
  ...scan('20 patterns', compilePatterns(patterns)),
  ...[1_600, 10_000].map((count) => ({
    name: `policy/filter/match: compiling ${count} terms`,
    run(times: number) {
      for (let done = 0; done < times; done++) compileTerms(terms(count))
    },
  })),
]
