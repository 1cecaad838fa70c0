import { test } from 'bun:test'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Where one of these programs is: named by an environment variable, or on PATH. */
export function findProgram(variable: string, ...names: readonly string[]): string | undefined {
  const named = process.env[variable]
  if (named) return isExecutable(named) ? named : undefined
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(isExecutable)
}

/**
 * Declares tests that need a program. Where there is none they are one skipped test that says so; in CI, where it belongs to the machine,
 * one that fails.
 */
export function withProgram(title: string, program: string | undefined, what: string, declare: () => void): void {
  if (program !== undefined) {
    declare()
    return
  }
  const detail = `${title}: there is no ${what}`
  if (process.env.CI) {
    test(detail, () => {
      throw new Error(detail)
    })
  } else test.skip(detail, () => {})
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
