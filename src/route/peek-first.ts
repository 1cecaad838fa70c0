/**
 * Waits for the first item and gives back the whole stream, so that an error before the first item is thrown here rather than
 * there. The stream is closed if the caller leaves its loop early.
 */
export async function peekFirst<T>(source: AsyncIterable<T>): Promise<AsyncIterable<T>> {
  const iterator = source[Symbol.asyncIterator]()
  let first: IteratorResult<T> | undefined = await iterator.next()
  const next = (): Promise<IteratorResult<T>> => {
    if (!first) return iterator.next()
    const result = first
    first = undefined
    return Promise.resolve(result)
  }
  const end = async (): Promise<IteratorResult<T>> => {
    await iterator.return?.()
    return { done: true, value: undefined }
  }
  return { [Symbol.asyncIterator]: () => ({ next, return: end }) }
}
