import { InvalidArgumentError } from 'commander'
import type { DeploymentInput } from '../../snapshot/deployment-spec.ts'

type RateLimit = NonNullable<DeploymentInput['rateLimits']>[number]

const shape = /^(request|token)=([1-9]\d{0,12})\/(?:(\d{1,2})s|(min))$/

export const rateLimitForm = 'request=COUNT/SECONDSs or token=COUNT/SECONDSs, SECONDS from 1 to 60 (min is 60s)'

/**
 * Reads `request=10/10s,token=8000/min`; `previous` are those of the same flag given before.
 * Throws InvalidArgumentError for another form, and for a key that comes twice.
 */
export function parseRateLimits(text: string, previous?: readonly RateLimit[] | boolean): RateLimit[] {
  const limits = Array.isArray(previous) ? [...previous] : []
  for (const part of text.split(',')) {
    const [, key, count, seconds] = shape.exec(part.trim()) ?? []
    const renewalPeriod = Number(seconds ?? 60)
    if ((key !== 'request' && key !== 'token') || renewalPeriod < 1 || renewalPeriod > 60) {
      throw new InvalidArgumentError(`Expected ${rateLimitForm}.`)
    }
    if (limits.some((limit) => limit.key === key)) throw new InvalidArgumentError(`There are two limits of "${key}".`)
    limits.push({ key, renewalPeriod, count: Number(count) })
  }
  return limits
}
