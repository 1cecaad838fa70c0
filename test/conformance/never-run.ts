import type { Check, SuiteReport } from './report.ts'

const noDotnet = 'there is no .NET SDK to build its checks with'

/** Clients that people ask for and no check runs, so that the table does not pass over them. */
export const neverRun: readonly SuiteReport[] = [
  {
    runtime: '.NET',
    checks: ['Azure.AI.Inference 1.0.0-beta.5', 'Azure.AI.OpenAI 2.1.0'].map((client) => tellNotRun(client, noDotnet)),
  },
]

function tellNotRun(client: string, detail: string): Check {
  return { client, name: 'the client', outcome: 'not-run', detail }
}
