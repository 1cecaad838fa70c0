import { inferenceAction } from '../../../src/core/access/data-actions.ts'
import { authorizeDataAction } from '../../../src/policy/access/authorize.ts'
import { createAudienceJudge } from '../../../src/policy/access/token/audience.ts'
import { makeIssuer, makeKey, sign, testNow } from '../../../src/policy/access/token/token.fixture.ts'
import { createTokenDoor } from '../../../src/policy/access/token/token-door.ts'
import { verifyToken } from '../../../src/policy/access/token/verify-token.ts'
import { admitCaller, authenticate, hashKey } from '../../../src/policy/authenticate.ts'
import type { Bench } from '../bench.ts'

const key = 'k'.repeat(84)
const keys = new Map([[hashKey(key), { keyName: 'key1', grant: undefined, expiresAt: undefined }]])
const headers = new Headers({ 'content-type': 'application/json', 'api-key': key })

const signer = await makeKey('one')
const issuer = makeIssuer()
issuer.publish(signer)
const token = await sign(signer, { groups: Array(20).fill(crypto.randomUUID()) })
const scope = { kind: 'deployment', resource: '', deployment: 'gpt-4o' } as const
const roles = [{ role: 'Cognitive Services OpenAI User', scope: { kind: 'server' } }] as const
const rules = { issuers: [issuer.trusted], rolesOf: () => roles }
const tokens = createTokenDoor({
  rules: () => rules,
  judgeAudience: createAudienceJudge(() => false),
  onSeen: () => {},
})
const entrance = { resource: '', isForTokensOnly: false }
const bearer = new Headers({ 'content-type': 'application/json', authorization: `Bearer ${token}` })
const caller = (await tokens.admit(token, 'data', testNow)).callerOf('')

export const authenticateBenches: readonly Bench[] = [
  {
    name: 'policy/authenticate: a key of 84 characters',
    run(times) {
      for (let i = 0; i < times; i++) authenticate(headers, keys, 0)
    },
  },
  {
    name: 'policy/authenticate: the same, where tokens are taken too',
    run(times) {
      for (let i = 0; i < times; i++) admitCaller(headers, keys, entrance, tokens, testNow)
    },
  },
  {
    name: `policy/authenticate: a token of ${Math.round(token.length / 100) * 100} characters that is known`,
    run(times) {
      for (let i = 0; i < times; i++) admitCaller(bearer, keys, entrance, tokens, testNow)
    },
  },
  {
    name: 'policy/access: whether the bearer may ask a deployment',
    run(times) {
      for (let i = 0; i < times; i++) authorizeDataAction(caller, inferenceAction('chat', 'OpenAI'), scope, 'POST /x')
    },
  },
  {
    name: 'policy/access: a token that is seen for the first time (RS256)',
    async run(times) {
      for (let i = 0; i < times; i++) await verifyToken(token, rules.issuers, testNow)
    },
  },
]
