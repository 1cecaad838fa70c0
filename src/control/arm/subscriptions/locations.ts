import type { Accounts } from '../../resources/accounts.ts'

/** Where accounts say that they are: nothing acts on it, so any name is a place. In order. */
export function listLocations(accounts: Accounts): readonly string[] {
  return [...new Set(accounts.list().map(({ spec }) => spec.location))].sort()
}

/** `East US 2` and `eastus2` are one. */
export function normalizeLocation(text: string): string {
  return text.toLowerCase().replaceAll(' ', '')
}
