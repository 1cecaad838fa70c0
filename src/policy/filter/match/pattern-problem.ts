/** Why a term or pattern cannot be used, in words for the person who wrote it. `index` is its place among those that were given. */
export class PatternProblem extends Error {
  readonly reason: string
  readonly index: number

  constructor(reason: string, index = 0) {
    super(reason)
    this.name = 'PatternProblem'
    this.reason = reason
    this.index = index
  }
}
