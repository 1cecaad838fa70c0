import { expect, test } from 'bun:test'
import { parseConfig } from './parse-config.ts'

const options = { builtinModels: [], readSecret: () => undefined, now: () => 0 }
const backends = 'backends: [{ url: "https://a.example/v1" }]'

function read(text: string, stored: Parameters<typeof parseConfig>[2]['listStoredPolicies'] = () => []) {
  const reading = parseConfig(text, 'ponto.yaml', { ...options, listStoredPolicies: stored })
  if (reading.isValid) return reading
  return reading.problems.map(({ line, column, text }) => `${line}:${column}: ${text}`)
}

test('policies of the file hold for its deployments: denied with its place, completed, and told apart by name', () => {
  const file = `deploymentPolicies:
  - { name: approved, effect: deny, allow: { model: [gpt-*] } }
  - { name: team, effect: default, set: { tags: { team: it } } }
deployments:
  - { name: good, model: { name: gpt-4o }, ${backends} }
  - { name: bad, model: { name: o3 }, ${backends} }
`
  expect(read(file)).toEqual([
    '6:33: deployments[1].model.name: got "o3", which the policy "approved" does not allow; allowed: gpt-*',
  ])
  const reading = read(file.replace('name: o3', 'name: gpt-5'))
  if (Array.isArray(reading)) throw new Error(reading.join('\n'))
  expect('deployments' in reading && reading.deployments[0]?.spec.tags).toEqual({ team: 'it' })
  expect('deploymentPolicies' in reading && reading.deploymentPolicies.map(({ line }) => line)).toEqual([2, 3])
})

test('stored policies hold for the file too, but for one that the file has by the same name', () => {
  const stored = () => [{ name: 'APPROVED', effect: 'deny' as const, allow: { model: ['o3'] } }]
  const deployments = `deployments:\n  - { name: one, model: { name: gpt-4o }, ${backends} }\n`
  expect(read(deployments, stored)).toHaveLength(1)
  expect(
    read(`deploymentPolicies:\n  - { name: approved, effect: audit, allow: { model: [o3] } }\n${deployments}`, stored),
  ).toMatchObject({ isValid: true })
})

test('a policy that is wrong, and two of one name', () => {
  expect(
    read(`deploymentPolicies:
  - { name: a, effect: deny, allow: { modle: [x] } }
  - { name: b, effect: audit, allow: { model: [x] } }
  - { name: B, effect: audit, allow: { model: [x] } }
deployments: []
`),
  ).toEqual([
    expect.stringMatching(/^2:39: deploymentPolicies\[0\]\.allow\.modle: unknown field/),
    '4:13: deploymentPolicies[2].name: "B" is declared before, in line 3 (names match without regard to case)',
  ])
})
