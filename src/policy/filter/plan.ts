import type { FilterCategory } from '../../core/filter/categories.ts'
import type { FilterEngine, Topic } from '../../core/filter/engine.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Detector } from './builtin/detector.ts'
import type { TextMatcher } from './match/text-matcher.ts'

/**
 * How the findings of several engines about one category become one: the most severe, that of the first engine which answered (the builtin
 * last), or what most of them say.
 */
export type Combine = 'max' | 'first' | 'vote'

/** What a policy does about one category of one side. Categories that are off have no rule. */
export type FilterRule = {
  readonly category: FilterCategory
  /** From this severity (0 to 7) on it is filtered; of a binary category anything above 0 is. */
  readonly leastSeverity: number
  /** Filtered texts are kept back; else they are only annotated. */
  readonly blocking: boolean
  readonly usesBuiltin: boolean
  readonly engines: readonly FilterEngine[]
  readonly combine: Combine
  /** What happens where no engine over the network could judge: the builtin speaks and the failure is annotated, or it is refused. */
  readonly onError: 'open' | 'closed'
}

/** Terms and patterns of the operator's, by list. */
export type BlocklistRule = {
  readonly name: string
  readonly blocking: boolean
  readonly matcher: TextMatcher
  /** The name of the item that is the pattern of that number. */
  itemOf(pattern: number): string
}

/** What is done with a type of personal data. */
export type PiiAction = 'annotate' | 'block' | 'redact'

export type PiiMatch = {
  readonly start: number
  readonly end: number
  /** As annotations write it: `Email`, `CreditCardNumber`. */
  readonly type: string
}

/** Reads a text as `MatchStream` does. */
export type PiiStream = {
  feed(text: string): readonly PiiMatch[]
  end(): readonly PiiMatch[]
  readonly settled: number
}

export type PiiRule = {
  readonly actions: ReadonlyMap<string, PiiAction>
  find(text: string): readonly PiiMatch[]
  open(): PiiStream
  /** Whether what was redacted in a prompt is put back where the answer repeats it. */
  readonly restores: boolean
}

export type ProtectedPassage = {
  readonly start: number
  readonly end: number
  /** Of the text it is from. */
  readonly name: string
  /** Further members of the annotation: `citation` with `URL` and `license`. */
  readonly annotation?: JsonObject | undefined
}

/** Texts of the operator's own that answers shall not repeat. */
export type ProtectedIndex = {
  /** Passages of the text that the index holds. */
  find(text: string): readonly ProtectedPassage[]
}

export type DirectionPlan = {
  /** At most one per category. */
  readonly rules: readonly FilterRule[]
  /** Whether no rule, list, topic or personal data is looked for at all. */
  readonly isEmpty: boolean
  readonly blocklists: readonly BlocklistRule[]
  readonly pii: PiiRule | undefined
  readonly topics: readonly (Topic & { readonly blocking: boolean })[]
}

/** A content filter policy, compiled: immutable and shared by all deployments that have it. */
export type FilterPlan = {
  readonly policy: string
  /** Different whenever anything about the policy or its engines is: verdicts are kept under it. */
  readonly version: string
  /** `asynchronous`: answers go out at once and are stopped within 1,000 characters. */
  readonly mode: 'blocking' | 'asynchronous'
  readonly detector: Detector
  readonly prompt: DirectionPlan
  readonly completion: DirectionPlan
  readonly scope: {
    /** `last-user`: as Azure does, the newest user message and documents in it. `all`: every message. */
    readonly messages: 'last-user' | 'all'
    readonly toolResults: boolean
    /** Of `all` messages, those of the operator's own application are left out. */
    readonly exemptSystem: boolean
  }
  /** Whether remote engines judge the prompt while the model already works, or before it is asked. */
  readonly promptCheck: 'concurrent' | 'first'
  /** Documents in a prompt are encoded before the model sees them. */
  readonly spotlighting: boolean
  /** Asynchronous annotations without a `delta`, as Azure writes them. */
  readonly strictAzureChunks: boolean
  /** Whether a call may choose this policy with `x-policy-id`. */
  readonly isSelectable: boolean
  readonly protectedTexts: ProtectedIndex | undefined
  readonly protectedCode: ProtectedIndex | undefined
}
