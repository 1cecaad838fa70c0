import { expect, test } from 'bun:test'
import { followChanges } from './follow-changes.ts'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

function follow(reload: () => Promise<void>) {
  let tell = (): void => {}
  const warnings: string[] = []
  const ignore = (): void => {}
  const end = followChanges({
    tables: {
      subscribe(onChange) {
        tell = onChange
        return ignore
      },
    },
    reload,
    log: { debug: ignore, info: ignore, error: ignore, warn: (_, message) => void warnings.push(message) },
  })
  return { tell: () => tell(), end, warnings }
}

test('changes that come while one is read are read together after that', async () => {
  const reads: PromiseWithResolvers<void>[] = []
  const { tell } = follow(() => {
    const read = Promise.withResolvers<void>()
    reads.push(read)
    return read.promise
  })
  tell()
  tell()
  tell()
  expect(reads).toHaveLength(1)
  reads[0]?.resolve()
  await turn()
  expect(reads).toHaveLength(2)
  reads[1]?.resolve()
  await turn()
  expect(reads).toHaveLength(2)
  tell()
  expect(reads).toHaveLength(3)
})

test('what could not be read is told and read at the next change, and nothing is read after the end', async () => {
  let count = 0
  const { tell, end, warnings } = follow(() => (count++ === 0 ? Promise.reject(new Error('away')) : Promise.resolve()))
  tell()
  await turn()
  expect(warnings).toEqual(['what other servers changed could not be read and is tried again'])
  tell()
  await turn()
  expect(count).toBe(2)
  end()
  tell()
  await turn()
  expect(count).toBe(2)
})
