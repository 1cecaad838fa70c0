import type { Rate } from '../../core/deployment.ts'
import type { DeploymentSpec } from '../deployment-spec.ts'
import type { Plan } from '../plan/plan-deployment.ts'
import type { Conditions } from './deployment-policy.ts'

/** What conditions look at: the document, what its limits come to, and its content filter policy. */
export type Judged = {
  readonly spec: Pick<DeploymentSpec, 'model' | 'sku' | 'tags' | 'backends'>
  readonly limits: Plan['limits']
  readonly raiPolicyName: string
}

/** A field that is not as a policy has it, in words. */
export type Mismatch = { readonly field: string; readonly got: string; readonly allowed: string }

type Range = NonNullable<Conditions['capacity']>

/** All fields that are not as the conditions have them; none when they are fulfilled. */
export function findMismatches(conditions: Conditions, { spec, limits, raiPolicyName }: Judged): readonly Mismatch[] {
  const found: Mismatch[] = []
  const checkText = (field: string, got: string, patterns: readonly string[] | undefined) => {
    if (!patterns || matchesAny(got, patterns)) return
    found.push({ field, got: JSON.stringify(got), allowed: patterns.join(', ') })
  }
  const checkNumber = (field: string, got: number | undefined, range: Range | undefined) => {
    if (!range) return
    const { min = 0, max = Number.POSITIVE_INFINITY } = range
    // Without a limit anything may come.
    const value = got ?? Number.POSITIVE_INFINITY
    if (value >= min && value <= max) return
    found.push({ field, got: got === undefined ? 'no limit' : String(got), allowed: describeRange(range) })
  }
  checkText('model.name', spec.model.name, conditions.model)
  checkText('model.format', spec.model.format, conditions.format)
  checkText('model.version', spec.model.version, conditions.version)
  checkText('sku.name', spec.sku?.name ?? 'none', conditions.sku)
  checkNumber('sku.capacity', spec.sku?.capacity ?? 0, conditions.capacity)
  checkNumber('tokensPerMinute', tokensPerMinute(limits), conditions.tokensPerMinute)
  checkNumber('requestsPerMinute', requestsPerMinute(limits), conditions.requestsPerMinute)
  checkText('raiPolicyName', raiPolicyName, conditions.raiPolicyName)
  if (conditions.backendLabels) {
    for (const [index, labels] of labelsOf(spec).entries()) {
      const { backendLabels } = conditions
      if (labels.some((label) => matchesAny(label, backendLabels))) continue
      const field = spec.backends ? `backends[${index}].labels` : 'backends'
      found.push({ field, got: labels.join(', ') || 'no label', allowed: backendLabels.join(', ') })
    }
  }
  for (const [tag, patterns] of Object.entries(conditions.tags ?? {})) {
    const got = findTag(spec.tags, tag)
    if (got === undefined) found.push({ field: `tags.${tag}`, got: 'no such tag', allowed: patterns.join(', ') })
    else checkText(`tags.${tag}`, got, patterns)
  }
  return found
}

function labelsOf({ backends }: Judged['spec']): readonly (readonly string[])[] {
  return backends ? backends.map(({ labels }) => labels ?? []) : [['builtin']]
}

/** As in Azure, names of tags match without regard to case. */
function findTag(tags: Readonly<Record<string, string>> | undefined, name: string): string | undefined {
  return Object.entries(tags ?? {}).find(([tag]) => tag.toLowerCase() === name.toLowerCase())?.[1]
}

function tokensPerMinute(limits: Plan['limits']): number | undefined {
  if (limits?.kind === 'provisioned') return limits.inputTokensPerMinute
  return limits?.kind === 'rate' ? perMinute(limits.tokens) : undefined
}

function requestsPerMinute(limits: Plan['limits']): number | undefined {
  return limits?.kind === 'rate' ? perMinute(limits.requests) : undefined
}

function perMinute(rate: Rate | undefined): number | undefined {
  return rate && (rate.limit * 60_000) / rate.windowMs
}

function describeRange({ min, max }: Range): string {
  if (max === undefined) return `${min} or more`
  return min === undefined ? `at most ${max}` : `${min} to ${max}`
}

export function matchesAny(text: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => matches(text.toLowerCase(), pattern.toLowerCase()))
}

/** Piece by piece from the left, which finds a way if there is one, and looks at no character twice for a piece. */
function matches(text: string, pattern: string): boolean {
  const [first = '', ...rest] = pattern.split('*')
  if (!text.startsWith(first)) return false
  const last = rest.pop()
  if (last === undefined) return text === pattern
  let at = first.length
  for (const piece of rest) {
    const found = text.indexOf(piece, at)
    if (found < 0) return false
    at = found + piece.length
  }
  return text.length - at >= last.length && text.endsWith(last)
}
