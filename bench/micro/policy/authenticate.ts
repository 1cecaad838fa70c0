import { authenticate, hashKey } from '../../../src/policy/authenticate.ts'
import type { Bench } from '../bench.ts'

const key = 'k'.repeat(84)
const keys = new Map([[hashKey(key), { keyName: 'key1', grant: undefined, expiresAt: undefined }]])
const headers = new Headers({ 'content-type': 'application/json', 'api-key': key })

export const authenticateBenches: readonly Bench[] = [
  {
    name: 'policy/authenticate: a key of 84 characters',
    run(times) {
      for (let i = 0; i < times; i++) authenticate(headers, keys, 0)
    },
  },
]
