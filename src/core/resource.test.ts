import { expect, test } from 'bun:test'
import { ownerName } from './access/principal.ts'
import { ownResource, qualify, resourceOf } from './resource.ts'

test.each([
  ['', '', ''],
  ['', 'ci', 'ci'],
  ['a~1', '', 'a~1/'],
  ['a~1', 'ci', 'a~1/ci'],
])('what is of the resource %j and named %j is %j, and leads back to it', (resource, name, qualified) => {
  expect(qualify(resource, name)).toBe(qualified)
  expect(resourceOf(qualified)).toBe(resource)
})

test('what a token holder owns is told apart, whatever its issuer and id are', () => {
  for (const id of ['abc', 'team-a/x', 'a~1/ci', '@/', 'ünïcode/@']) {
    for (const issuer of ['https://login.example/tenant/v2.0', undefined]) {
      const owner = ownerName({ id, issuer })
      expect(resourceOf(qualify(ownResource, owner))).toBe('')
      expect(resourceOf(qualify('a~1', owner))).toBe('a~1')
    }
  }
})
