import { Fault } from '../../../core/fault.ts'

/** Of the provider, from old to new. Those since 2025-12-01 do not differ in shape. */
export const apiVersions: readonly string[] = [
  '2021-04-30',
  '2021-10-01',
  '2022-03-01',
  '2022-10-01',
  '2022-12-01',
  '2023-05-01',
  '2023-10-01-preview',
  '2024-04-01-preview',
  '2024-06-01-preview',
  '2024-10-01',
  '2025-04-01-preview',
  '2025-06-01',
  '2025-07-01-preview',
  '2025-09-01',
  '2025-10-01-preview',
  '2025-12-01',
  '2026-01-15-preview',
  '2026-03-01',
  '2026-03-15-preview',
  '2026-05-01',
  '2026-05-15-preview',
  '2026-07-01',
]

const known = new Set(apiVersions)
const shape = /^\d{4}-\d{2}-\d{2}(-[a-z]+)?$/

/**
 * The `api-version` of a request, lower case; `isProviders`: one of those that the provider has. Throws Fault `invalid-request` without one, and for one that is not known, naming those that are.
 */
export function readApiVersion(url: URL, isProviders: boolean): string {
  const given = url.searchParams.get('api-version')
  if (given === null || given === '') {
    throw new Fault(
      'invalid-request',
      'The api-version query parameter (?api-version=) is required for all requests.',
      { vendorCode: 'MissingApiVersionParameter', param: 'api-version' },
    )
  }
  const version = given.toLowerCase()
  if (isProviders ? known.has(version) : shape.test(version)) return version
  const shown = JSON.stringify(given.slice(0, 40))
  const text = isProviders
    ? `The api-version ${shown} is invalid. The supported versions are ${apiVersions.join(', ')}.`
    : `The api-version ${shown} is invalid. It is a date, such as 2022-09-01.`
  throw new Fault('invalid-request', text, { vendorCode: 'InvalidApiVersionParameter', param: 'api-version' })
}

/** Whether `apiVersion` is that of `date` or newer; previews count by their date. */
export function isSince(apiVersion: string, date: string): boolean {
  return apiVersion.slice(0, 10) >= date
}
