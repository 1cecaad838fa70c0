import { Fault } from '../../core/fault.ts'

/** The same bytes, as long as they are no more; then throws what `refuse` makes. */
export async function* bounded(
  content: AsyncIterable<Uint8Array>,
  maxBytes: number,
  refuse: () => Fault,
): AsyncGenerator<Uint8Array, undefined> {
  let length = 0
  for await (const bytes of content) {
    length += bytes.length
    if (length > maxBytes) throw refuse()
    yield bytes
  }
}

export function refuseSize(param: string, rule: string): Fault {
  return new Fault('body-too-large', `Invalid value for '${param}': it is too large. ${rule}`, { param })
}
