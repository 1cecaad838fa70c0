import { expect, test } from 'bun:test'
import { runCampaign } from './campaign.ts'
import { formatFinding } from './findings.ts'
import { runSuite } from './suite.ts'
import { type SuiteKind, suites } from './suites.ts'
import { startTarget } from './target.ts'

/**
 * A short run of `npm run fuzz`, always the same cases: those that, of two dozen seeds, found most of the faults that full runs had
 * found. The full run has 100,000 requests and 10,000 upstream answers, and 20,000 cases or more of every other kind.
 */

const lanes = 16

test('2,000 mutated requests and 800 mutated upstream answers leave the server as it was', async () => {
  const target = await startTarget(lanes)
  try {
    const { findings, tally } = await runCampaign(target, { seed: 25, requests: 2000, streams: 800, lanes })
    expect(findings.map(formatFinding).join('\n')).toBe('')
    // The cases got past the door, and the upstream's into the answers.
    expect(tally.request['200']).toBeGreaterThan(200)
    expect(tally.stream['200']).toBeGreaterThan(50)
    expect(tally.stream['502']).toBeGreaterThan(50)
  } finally {
    await target.stop()
  }
}, 60_000)

test.each<[SuiteKind, number, number, Record<string, number>]>([
  ['limits', 17, 400, { '200': 200, '400': 100, '423': 10, '429': 10 }],
  ['manage', 24, 1100, { '200': 60, '201': 15, '400': 150, '401': 20, '404': 60, '409': 15, '412': 10 }],
  ['config', 17, 400, { valid: 20, refused: 200 }],
  ['patterns', 17, 1000, { found: 200, judged: 100, meant: 150, refused: 20 }],
  ['files', 5, 800, { '200': 100, '201': 5, '206': 3, '400': 200, '404': 80, '405': 20, '416': 1 }],
  ['batches', 6, 4000, { accepted: 200, refused: 1500, 'result: read': 500, 'result: nothing': 80 }],
])(
  '%s: seed %i, %i cases',
  async (kind, seed, cases, least) => {
    const suite = await suites[kind]()
    try {
      const { findings, tally } = await runSuite(suite, { seed, cases })
      expect(findings.map(formatFinding).join('\n')).toBe('')
      for (const [end, count] of Object.entries(least)) expect([end, (tally[end] ?? 0) >= count]).toEqual([end, true])
    } finally {
      await suite.close()
    }
  },
  60_000,
)
