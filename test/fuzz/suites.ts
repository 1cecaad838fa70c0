import { openBatchesSuite } from './batches/suite.ts'
import { openConfigSuite } from './config/suite.ts'
import { openFilesSuite } from './files/suite.ts'
import { openLimitsSuite } from './limits/suite.ts'
import { openManageSuite } from './manage/suite.ts'
import { openPatternsSuite } from './patterns/suite.ts'
import type { Suite } from './suite.ts'

export const suiteKinds = ['limits', 'manage', 'config', 'patterns', 'files', 'batches'] as const
export type SuiteKind = (typeof suiteKinds)[number]

/** Few, so that calls are in each other's way. */
const limitsLanes = 4

/** What opens a suite, whose server then runs until it is closed. */
export const suites: Readonly<Record<SuiteKind, () => Promise<Suite>>> = {
  limits: () => openLimitsSuite(limitsLanes),
  manage: openManageSuite,
  config: async () => openConfigSuite(),
  patterns: async () => openPatternsSuite(),
  files: openFilesSuite,
  batches: async () => openBatchesSuite(),
}
