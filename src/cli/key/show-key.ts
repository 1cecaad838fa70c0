import type { KeyView, NamedKeyView } from '../../control/api.ts'
import type { CommandContext } from '../context.ts'
import { type Column, formatTime, printFacts } from '../terminal/print.ts'

export type AnyKey = KeyView | NamedKeyView

/** The resource's own two can be read again; of the others no secret is kept. */
function isOwn(key: AnyKey): key is KeyView {
  return 'value' in key
}

export const keyColumns: readonly Column<AnyKey>[] = [
  { title: 'name', read: (key) => key.name },
  { title: 'owner', read: (key) => (isOwn(key) ? 'the resource' : key.owner) },
  { title: 'deployments', read: (key) => (isOwn(key) ? 'all' : describeDeployments(key)) },
  { title: 'status', read: (key) => (isOwn(key) ? 'active' : key.status) },
  { title: 'expires', read: (key) => (isOwn(key) || !key.expiresAt ? 'never' : formatTime(key.expiresAt)) },
  { title: 'made', read: (key) => formatTime(key.createdAt) },
  { title: 'key', read: (key) => (isOwn(key) ? key.value : '(shown when it was made)') },
]

export async function showKey(context: CommandContext, key: AnyKey): Promise<void> {
  if (isOwn(key)) {
    return printFacts(context, key, [
      ['Name', key.name],
      ['Key', key.value],
      ['Made', formatTime(key.createdAt)],
    ])
  }
  await printFacts(context, key, [
    ['Name', key.name],
    ['Owner', key.owner || '-'],
    ['Status', describeStatus(key)],
    ['Deployments', key.deployments === 'all' ? 'all' : key.deployments.join(', ')],
    ['Tokens per minute', describeLimit(key.tokensPerMinute)],
    ['Requests per minute', describeLimit(key.requestsPerMinute)],
    ...key.budgets.map(({ unit, period, limit }) => ['Budget', `${limit} ${unit} per ${period}`] as const),
    ['Expires', key.expiresAt ? formatTime(key.expiresAt) : 'never'],
    ...(key.previousSecretEndsAt
      ? [['Old secret', `taken until ${formatTime(key.previousSecretEndsAt)}`] as const]
      : []),
    ['Made', formatTime(key.createdAt)],
    ['Changed', formatTime(key.updatedAt)],
    ...(key.secret === undefined ? [] : [['Secret', key.secret] as const]),
  ])
  if (key.secret !== undefined) {
    context.stderr.write('Keep the secret now: it is not stored and cannot be shown again.\n')
  }
}

function describeDeployments({ deployments }: NamedKeyView): string {
  if (deployments === 'all') return 'all'
  const [first, ...more] = deployments
  return more.length > 0 ? `${first} and ${more.length} more` : (first ?? '')
}

function describeStatus({ status, revokedAt }: NamedKeyView): string {
  return revokedAt ? `revoked ${formatTime(revokedAt)}` : status
}

function describeLimit(limit: number | undefined): string {
  return limit === undefined ? 'no limit' : String(limit)
}
