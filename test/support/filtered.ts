import { makeRemote } from '../../src/policy/filter/filter.fixture.ts'
import { createFilterPolicy } from '../../src/policy/filter/filter-policy.ts'
import type { FilterPlan } from '../../src/policy/filter/plan.ts'
import { type FakeUpstream, startFakeUpstream } from './fake-upstream.ts'
import { type Harness, startHarness } from './harness.ts'

/** The data plane before an upstream that says what it is told, with one plan for every deployment that has a policy: that of the moment. */
export async function startFiltered(findPlan: () => FilterPlan): Promise<{ upstream: FakeUpstream; ponto: Harness }> {
  const policy = createFilterPolicy({
    findPlan,
    remote: makeRemote(),
    onFinding: () => {},
    decodeTokens: async () => [],
  })
  return { upstream: await startFakeUpstream(), ponto: await startHarness({ policies: [policy] }) }
}
