import { z } from 'zod'
import { findSpecProblems } from '../../backend/guards/find-spec-problems.ts'
import {
  defaultDeadlineMs,
  type EngineKind,
  type EngineSpec,
  engineKinds,
  guardProfiles,
  judgedCategories,
  type OptionValue,
  type ProfileName,
} from '../../backend/guards/kinds.ts'
import type { FilterCategory } from '../../core/filter/categories.ts'
import { type DocumentProblem, parseDocument } from '../../core/text/parse-document.ts'
import { credentialSchema, deploymentNamePattern, deploymentNameRule, guardCredentials } from '../deployment-spec.ts'
import { judgeUrl } from '../read-deployment.ts'
import { filterNameSchema } from './policy-spec.ts'
import { builtinName, describeUnknown } from './read-policy.ts'

const waitMs = z.int().min(1).max(600_000)

/** What judges texts besides the builtin detector: a guard model that a deployment serves, or a safety service. */
export const engineSchema = z.strictObject({
  name: filterNameSchema.refine(
    (name) => name.toLowerCase() !== builtinName,
    `another name: "${builtinName}" is the embedded engine`,
  ),
  kind: z.enum(Object.keys(engineKinds) as [EngineKind, ...EngineKind[]]),
  deployment: z.string().regex(deploymentNamePattern, deploymentNameRule).optional(),
  profile: z.enum(Object.keys(guardProfiles) as [ProfileName, ...ProfileName[]]).optional(),
  url: z
    .url({ protocol: /^https?$/ })
    .max(2048)
    .optional(),
  apiVersion: z.string().min(1).max(64).optional(),
  credential: credentialSchema.optional(),
  /** Which there are, and what they may be, says the kind, or the profile of a guard model. */
  options: z.record(z.string().max(64), z.custom<OptionValue>()).optional(),
  /** How long it may take, of a prompt and of a window of an answer. */
  deadlineMs: z
    .strictObject({
      prompt: waitMs.default(defaultDeadlineMs.prompt),
      window: waitMs.default(defaultDeadlineMs.window),
    })
    .optional(),
  maxChars: z.int().min(100).max(10_000_000).optional(),
})

export type EngineDocument = z.output<typeof engineSchema>
export type EngineInput = z.input<typeof engineSchema>

export type ReadEngineOptions = {
  /** The value of an environment variable. */
  readSecret(name: string): string | undefined
  /** Which credentials are allowed where the document comes from. */
  readonly credentialRule: string
  readonly deployments: readonly string[]
}

/** Judges an engine as an operator wrote it. Shared by the configuration file and the management API. */
export function readEngine(
  input: unknown,
  { readSecret, credentialRule, deployments }: ReadEngineOptions,
): { readonly spec: EngineDocument } | { readonly problems: readonly DocumentProblem[] } {
  const parsed = parseDocument(engineSchema, input, guardCredentials(credentialRule))
  if ('problems' in parsed) return parsed
  const { credential, ...rest } = parsed.data
  const problems: DocumentProblem[] = findSpecProblems(rest, credential !== undefined).map(({ field, text }) => ({
    path: field.split('.'),
    text,
  }))
  const { deployment, url } = rest
  if (deployment !== undefined && !deployments.some((name) => name.toLowerCase() === deployment.toLowerCase())) {
    const text =
      deployments.length > 0
        ? describeUnknown(deployment, deployments)
        : `there is no deployment ${JSON.stringify(deployment)}; make it first`
    problems.push({ path: ['deployment'], text })
  }
  const hasUrlProblem = problems.some(({ path }) => path[0] === 'url')
  const urlText = url === undefined || hasUrlProblem ? undefined : judgeUrl(url)
  if (urlText) problems.push({ path: ['url'], text: urlText })
  if (credential && 'env' in credential && !readSecret(credential.env)) {
    const text = `the variable ${credential.env} is not set; set it where Ponto is started, and start Ponto again`
    problems.push({ path: ['credential', 'env'], text, code: 'InvalidCredential' })
  }
  return problems.length > 0 ? { problems } : { spec: parsed.data }
}

/** What the engine can judge. */
export function categoriesOf({ kind, profile }: EngineDocument): ReadonlySet<FilterCategory> {
  return judgedCategories({ kind, profile })
}

/** As the engine is made: with its secret. */
export function resolveEngine({ credential: _, ...spec }: EngineDocument, credential: string | undefined): EngineSpec {
  return { ...spec, credential }
}
