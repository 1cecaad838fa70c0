import type { EngineProbe } from '../../control/api.ts'
import { toFault } from '../../core/fault.ts'
import type { PlanCompilerParts } from '../../snapshot/filter/compile-plan.ts'
import { type EngineDocument, resolveEngine } from '../../snapshot/filter/engine-spec.ts'

/** A guard model may have to be loaded first. */
const probeMs = 30_000

/** Has an engine judge a harmless text, over connections of its own. Never rejects. */
export async function probeEngine(
  document: EngineDocument,
  { openEngine, readCredential }: Pick<PlanCompilerParts, 'openEngine' | 'readCredential'>,
  now: () => number,
): Promise<EngineProbe> {
  const startedAt = now()
  const since = () => Math.round(now() - startedAt)
  let close = () => {}
  try {
    const opened = openEngine(resolveEngine(document, readCredential(document)))
    close = opened.close
    const { engine } = opened
    const { findings } = await engine.judge([{ role: 'user', text: 'Which day is it today?' }], {
      categories: engine.categories,
      source: 'Prompt',
      topics: [],
      signal: AbortSignal.timeout(probeMs),
    })
    const found = findings.map(({ category }) => category).join(', ')
    const detail = found === '' ? 'it answers' : `it answers, and finds ${found} in a harmless text`
    return { ok: true, detail: `${engine.label}: ${detail}`, ms: since() }
  } catch (error) {
    return { ok: false, detail: toFault(error).message, ms: since() }
  } finally {
    close()
  }
}
