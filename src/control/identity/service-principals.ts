import { z } from 'zod'
import { Fault } from '../../core/fault.ts'
import { parseDocument } from '../../core/text/parse-document.ts'
import type { JudgeAudience } from '../../policy/access/token/audience.ts'
import type { ServicePrincipalRow } from '../../port/tables/access/identity/port.ts'
import { deploymentNamePattern, deploymentNameRule } from '../../snapshot/deployment-spec.ts'
import { ownIssuer } from '../../snapshot/file/identity-section.ts'
import { writeScope } from '../../snapshot/keys/identity/identity-state.ts'
import type { OwnIssuer } from '../../snapshot/keys/identity/own-issuer.ts'
import { createQueue } from '../../snapshot/queue.ts'
import type { IssuedTokenView, ServicePrincipalView } from '../api.ts'
import type { Answer } from '../http/answer.ts'
import { isDryRun, refuseDryRun } from '../http/dry-run.ts'
import { refuseDocument } from '../http/errors.ts'
import { checkPreconditions } from '../http/preconditions.ts'
import { readJsonBody } from '../http/read-body.ts'
import { hashSecret } from './issue-token.ts'
import { acceptScope, grantSchema, type RoleAssignmentsOptions, viewScope } from './role-assignments.ts'

export type ServicePrincipalsOptions = RoleAssignmentsOptions & {
  readonly issuer: OwnIssuer
  readonly judgeAudience: JudgeAudience
  /** A new random secret. */
  makeKey(): string
}

const expirySchema = z.iso
  .datetime({ offset: true, error: 'a time such as 2027-01-01T00:00:00Z' })
  .transform((value) => Date.parse(value))
  .optional()

const creationSchema = z.strictObject({ roles: z.array(grantSchema).max(64).default([]), expiresAt: expirySchema })
const rotationSchema = z.strictObject({
  overlapSeconds: z
    .int()
    .min(0)
    .max(30 * 86_400)
    .default(0),
  expiresAt: expirySchema,
})
const tokenSchema = z.strictObject({
  resource: z.string().min(1).max(512).default('https://cognitiveservices.azure.com'),
})

type Handler = (request: Request, name: string) => Promise<Answer>

/** Programs that get tokens from this server. A secret is in the answer that made it and nowhere else. */
export function createServicePrincipals(
  options: ServicePrincipalsOptions,
): Record<'list' | 'show' | 'put' | 'remove' | 'rotate' | 'issueToken', Handler> {
  const { table, identity, issuer, makeKey, now } = options
  const enqueue = createQueue()

  function view(row: ServicePrincipalRow, secret?: string): ServicePrincipalView {
    const { name, appId, objectId, endsAt, previous, etag } = row
    const roles = identity.assignments().filter((one) => one.issuer === ownIssuer && one.principal === objectId)
    return {
      name,
      appId,
      objectId,
      tenantId: issuer.tenant,
      status: endsAt !== undefined && endsAt <= now() ? 'expired' : 'active',
      roles: roles.map(({ id, role, scope }) => ({ id, role, scope: viewScope(scope, options) })),
      ...(endsAt !== undefined && { expiresAt: new Date(endsAt).toISOString() }),
      ...(previous && previous.endsAt > now() && { previousSecretEndsAt: new Date(previous.endsAt).toISOString() }),
      etag,
      createdAt: new Date(row.createdAt).toISOString(),
      updatedAt: new Date(row.updatedAt).toISOString(),
      ...(secret !== undefined && { secret }),
    }
  }

  const answer = (status: number, row: ServicePrincipalRow, secret?: string): Answer => ({
    status,
    body: view(row, secret),
    headers: { etag: `"${row.etag}"` },
  })

  return {
    async list() {
      return { status: 200, body: { value: identity.principals().map((row) => view(row)) } }
    },
    async show(_request, name) {
      return answer(200, requireRow(await table.getPrincipal(name), name))
    },
    async put(request, name) {
      refuseDryRun(request)
      if (!deploymentNamePattern.test(name))
        throw refuseDocument([{ path: ['name'], text: `expected ${deploymentNameRule}` }])
      const { roles, expiresAt } = parse(creationSchema, await readJsonBody(request))
      const scopes = roles.map((one) => acceptScope(one, options))
      refusePast(expiresAt, now())
      return enqueue(async () => {
        const time = now()
        const secret = makeKey()
        const row = await table.putPrincipal(
          {
            name,
            appId: crypto.randomUUID(),
            objectId: crypto.randomUUID(),
            digest: hashSecret(secret),
            endsAt: expiresAt,
            previous: undefined,
            createdAt: time,
            updatedAt: time,
          },
          null,
        )
        if (!row) {
          throw new Fault(
            'conflict',
            `There is a service principal ${JSON.stringify(name)} already. Give it a new secret with POST /management/service-principals/${name}/rotate, and roles with PUT /management/role-assignments/ID.`,
          )
        }
        for (const [index, { role }] of roles.entries()) {
          await table.putAssignment({
            id: crypto.randomUUID(),
            principal: row.objectId,
            kind: 'principal',
            issuer: ownIssuer,
            role,
            scope: writeScope(scopes[index] as (typeof scopes)[number]),
            // So that they are listed as they were given.
            createdAt: time + index,
          })
        }
        await identity.reload()
        return answer(201, row, secret)
      })
    },
    remove: (request, name) =>
      enqueue(async () => {
        const row = requireRow(await table.getPrincipal(name), name)
        checkPreconditions(request.headers, row, 'service principal')
        if (isDryRun(request)) return { status: 204 }
        // The roles first: were it cut short, nobody is left who has them.
        for (const one of identity.assignments()) {
          if (one.issuer === ownIssuer && one.principal === row.objectId) await table.deleteAssignment(one.id)
        }
        if (!(await table.deletePrincipal(name, row.etag))) throw changedElsewhere(name)
        await identity.reload()
        return { status: 204 }
      }),
    async rotate(request, name) {
      refuseDryRun(request)
      const { overlapSeconds, expiresAt } = parse(
        rotationSchema,
        request.body === null ? {} : await readJsonBody(request),
      )
      refusePast(expiresAt, now())
      return enqueue(async () => {
        const current = requireRow(await table.getPrincipal(name), name)
        checkPreconditions(request.headers, current, 'service principal')
        const secret = makeKey()
        const overlapEnds = now() + overlapSeconds * 1000
        const previous = { digest: current.digest, endsAt: Math.min(current.endsAt ?? overlapEnds, overlapEnds) }
        const change = { ...current, digest: hashSecret(secret), endsAt: expiresAt, previous, updatedAt: now() }
        const row = await table.putPrincipal(change, current.etag)
        if (!row) throw changedElsewhere(name)
        await identity.reload()
        return answer(200, row, secret)
      })
    },
    /** For scripts on the operator's side, which need not know the secret. */
    async issueToken(request, name) {
      refuseDryRun(request)
      const { resource } = parse(tokenSchema, request.body === null ? {} : await readJsonBody(request))
      const row = requireRow(await table.getPrincipal(name), name)
      if (!(['data', 'management'] as const).some((plane) => options.judgeAudience(resource, plane))) {
        throw refuseDocument([
          {
            path: ['resource'],
            text: 'expected https://cognitiveservices.azure.com, https://ai.azure.com, https://ml.azure.com, https://management.azure.com or the address of this server',
          },
        ])
      }
      const { token, expiresOn } = await issuer.sign(row, resource, new URL(request.url).origin)
      const body: IssuedTokenView = { token, resource, expiresAt: new Date(expiresOn * 1000).toISOString() }
      return { status: 200, body }
    },
  }
}

function parse<T extends z.ZodType>(schema: T, document: unknown): z.output<T> {
  const parsed = parseDocument(schema, document)
  if ('problems' in parsed) throw refuseDocument(parsed.problems)
  return parsed.data
}

function refusePast(expiresAt: number | undefined, now: number): void {
  if (expiresAt === undefined || expiresAt > now) return
  throw refuseDocument([
    { path: ['expiresAt'], text: `expected a time to come (it is ${new Date(now).toISOString()})` },
  ])
}

function requireRow(row: ServicePrincipalRow | undefined, name: string): ServicePrincipalRow {
  if (row) return row
  throw new Fault(
    'not-found',
    `There is no service principal ${JSON.stringify(name.slice(0, 64))}. GET /management/service-principals lists those there are.`,
  )
}

function changedElsewhere(name: string): Fault {
  return new Fault('conflict', `The service principal ${JSON.stringify(name)} was changed at the same time. Try again.`)
}
