import { z } from 'zod'
import { isJsonObject } from '../../core/json.ts'
import { type DocumentProblem, parseDocument } from '../../core/text/parse-document.ts'
import type { Declared } from '../filter/collection.ts'
import { type DeploymentPolicy, readDeploymentPolicy } from '../policy/deployment-policy.ts'

/** The section of the file. */
export const policySections = { deploymentPolicies: z.array(z.unknown()).max(1_000).optional() } as const

export type PolicyReading = {
  readonly policies: readonly Declared<DeploymentPolicy>[]
  readonly problems: readonly DocumentProblem[]
}

/** Judges the section; `lineOf` tells where an entry begins. That the file is an object is for others to judge. */
export function readPolicySection(value: unknown, file: string, lineOf: (index: number) => number): PolicyReading {
  const parsed = parseDocument(z.object(policySections), isJsonObject(value) ? value : {})
  if ('problems' in parsed) return { policies: [], problems: parsed.problems }
  const first = new Map<string, number>()
  const policies: Declared<DeploymentPolicy>[] = []
  const problems: DocumentProblem[] = []
  for (const [index, input] of (parsed.data.deploymentPolicies ?? []).entries()) {
    const path = ['deploymentPolicies', index]
    const reading = readDeploymentPolicy(input)
    if ('problems' in reading) {
      problems.push(...reading.problems.map((problem) => ({ ...problem, path: [...path, ...problem.path] })))
      continue
    }
    const key = reading.spec.name.toLowerCase()
    const earlier = first.get(key)
    if (earlier === undefined) {
      first.set(key, index)
      policies.push({ spec: reading.spec, file, line: lineOf(index) })
    } else {
      const text = `"${reading.spec.name}" is declared before, in line ${lineOf(earlier)} (names match without regard to case)`
      problems.push({ path: [...path, 'name'], text })
    }
  }
  return { policies, problems }
}
