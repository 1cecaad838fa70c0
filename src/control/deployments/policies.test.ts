import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { createCatalog } from '../../snapshot/catalog/create-catalog.ts'
import { deploymentSpecSchema } from '../../snapshot/deployment-spec.ts'
import type { DeploymentPolicyView, DeploymentView, PolicyTest } from '../api.ts'
import { type ControlFixture, errorOf, remote, startControl } from '../control.fixture.ts'

const approved = { effect: 'deny', allow: { model: ['gpt-4o*'], tags: { team: ['*'] } } }

describe('policies over deployments', () => {
  let control: ControlFixture
  beforeEach(async () => {
    control = await startControl()
  })
  afterEach(() => control.stop())

  test('a deployment that is not as they have it is refused whichever way it is written, with rule, field and what is allowed', async () => {
    expect((await control.send('PUT', '/deployment-policies/approved', { body: approved })).status).toBe(201)
    const put = await control.send('PUT', '/deployments/chat', { body: { ...remote(), model: { name: 'o3' } } })
    expect(put.status).toBe(403)
    expect(errorOf(put)).toMatchObject({
      code: 'RequestDisallowedByPolicy',
      message:
        'model.name: got "o3", which the policy "approved" does not allow; allowed: gpt-4o*; ' +
        'tags.team: got no such tag, which the policy "approved" does not allow; allowed: *',
      details: [
        { code: 'RequestDisallowedByPolicy', target: 'model.name' },
        { code: 'RequestDisallowedByPolicy', target: 'tags.team' },
      ],
    })
    expect((await control.send('GET', '/deployments/chat')).status).toBe(404)
    expect(
      (await control.send('PUT', '/deployments/chat', { body: { ...remote(), tags: { team: 'a' } } })).status,
    ).toBe(201)
    const patch = await control.send('PATCH', '/deployments/chat', { body: { tags: null } })
    expect([patch.status, errorOf(patch).code]).toEqual([403, 'RequestDisallowedByPolicy'])
    const dry = await control.send('PUT', '/deployments/new?dryRun=true', { body: remote() })
    expect(dry.status).toBe(403)
  })

  test('what was there before stays, and is told', async () => {
    await control.send('PUT', '/deployments/old', { body: remote() })
    const made = await control.send('PUT', '/deployment-policies/approved', { body: approved })
    expect(made.json<DeploymentPolicyView>().violations).toEqual([
      { deployment: 'old', policy: 'approved', effect: 'deny', field: 'tags.team', got: 'no such tag', allowed: '*' },
    ])
    expect((await control.send('GET', '/deployments/old')).status).toBe(200)
    const all = (await control.send('POST', '/deployment-policies/test', { body: {} })).json<PolicyTest>()
    expect([all.isAllowed, all.findings.length]).toEqual([false, 1])
  })

  test('audit lets it be; default completes it', async () => {
    await control.send('PUT', '/deployment-policies/look', { body: { effect: 'audit', allow: { sku: ['Standard'] } } })
    await control.send('PUT', '/deployment-policies/teams', {
      body: { effect: 'default', set: { tags: { team: 'it' } } },
    })
    await control.send('PUT', '/deployment-policies/approved', { body: approved })
    const made = await control.send('PUT', '/deployments/chat', { body: remote() })
    expect(made.status).toBe(201)
    expect(made.json<DeploymentView>().tags).toEqual({ team: 'it' })
    const { violations } = (await control.send('GET', '/deployment-policies/look')).json<DeploymentPolicyView>()
    expect(violations.map(({ deployment, field }) => [deployment, field])).toEqual([['chat', 'sku.name']])
  })

  test('can be tried out: a deployment nobody makes, a policy that is not there', async () => {
    await control.send('PUT', '/deployment-policies/teams', {
      body: { effect: 'default', set: { tags: { team: 'it' } } },
    })
    const ask = async (body: object) =>
      (await control.send('POST', '/deployment-policies/test', { body })).json<PolicyTest>()
    const fine = await ask({ deployment: remote() })
    expect(fine).toMatchObject({ isAllowed: true, findings: [], deployment: { tags: { team: 'it' } } })
    const refused = await ask({
      deployment: remote(),
      policy: { name: 'new', effect: 'deny', allow: { model: ['o3'] } },
    })
    expect(refused).toMatchObject({
      isAllowed: false,
      findings: [{ policy: 'new', field: 'model.name', allowed: 'o3' }],
    })
    const wrong = await control.send('POST', '/deployment-policies/test', { body: { deployment: { model: 5 } } })
    expect([wrong.status, errorOf(wrong).target]).toEqual([400, 'deployment.model'])
    expect((await control.send('GET', '/deployments')).json<{ value: unknown[] }>().value).toEqual([])
  })

  test('one that is wrong names its field; one is replaced and removed under its etag', async () => {
    const wrong = await control.send('PUT', '/deployment-policies/a', {
      body: { effect: 'deny', allow: { modle: ['x'] } },
    })
    expect([wrong.status, errorOf(wrong).target]).toEqual([400, 'allow.modle'])
    const { etag } = (
      await control.send('PUT', '/deployment-policies/a', { body: approved })
    ).json<DeploymentPolicyView>()
    const stale = await control.send('DELETE', '/deployment-policies/a', { headers: { 'if-match': '"other"' } })
    expect(stale.status).toBe(412)
    expect(
      (await control.send('DELETE', '/deployment-policies/a', { headers: { 'if-match': `"${etag}"` } })).status,
    ).toBe(204)
    expect(
      (await control.send('PUT', '/deployments/chat', { body: { ...remote(), model: { name: 'o3' } } })).status,
    ).toBe(201)
  })

  test('what other resources have is told too, with the name of the resource', async () => {
    const spec = deploymentSpecSchema.parse({
      name: 'chat',
      model: { name: 'o3' },
      backends: [{ url: 'https://a.example' }],
    })
    const other = await startControl({
      capacityRules: () => ({
        catalog: createCatalog([]),
        pools: [],
        placement: {},
        now: 2_000,
        elsewhere: [{ resource: { id: 'r1', name: 'team-a' }, spec }],
      }),
    })
    try {
      const body = { effect: 'audit', allow: { model: ['gpt-4o*'] } }
      const made = (await other.send('PUT', '/deployment-policies/approved', { body })).json<DeploymentPolicyView>()
      expect(made.violations).toMatchObject([{ resource: 'team-a', deployment: 'chat', field: 'model.name' }])
      // Who may only try policies out on a resource sees nothing of others.
      const tried = (await other.send('POST', '/deployment-policies/test', { body: {} })).json<PolicyTest>()
      expect(tried.findings).toEqual([])
    } finally {
      await other.stop()
    }
  })
})
