const pattern = /^[^\p{C}]{1,256}$/u

/** Whether an answer can be found by this id: not longer than an index takes, and nothing that a path or a database could not hold. */
export function canBeId(id: string): boolean {
  return pattern.test(id)
}
