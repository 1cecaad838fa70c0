import { inferenceAction, listActions } from '../../src/core/access/data-actions.ts'
import { type RoleDefinition, roleNames, roleTable } from '../../src/core/access/role-table.ts'
import { serverEnds } from '../../src/wire/index.ts'

/** Page about the roles, from the table that is enforced. */
export function renderRoles(): string {
  return `# Roles

Made from the table that the server enforces; do not edit. How roles are assigned: [identity](../guide/identity.md).

Everything that no role allows is refused. Actions are those of management (\`/management\` and the management API at the root of the host), data
actions those of the data plane. \`*\` stands for anything, also for several segments.

| role | identifier | |
|---|---|---|
${roleNames.map((name) => `| ${name} | \`${roleTable[name].id}\` | ${roleTable[name].description} |`).join('\n')}

${roleNames.map(renderRole).join('\n\n')}

## Data actions of models

What it takes to ask a model goes by whose model it is, not by the protocol: a model whose \`format\` is \`OpenAI\` is one of OpenAI on every route,
any other is not, also below \`/openai\`.

| operation | a model of OpenAI's | any other model |
|---|---|---|
${kinds()
  .map(
    (kind) =>
      `| ${kind} | \`${shorten(inferenceAction(kind, 'OpenAI'))}\` | \`${shorten(inferenceAction(kind, ''))}\` |`,
  )
  .join('\n')}
| lists of models | \`${shorten(listActions.models)}\` | the same |
| lists of deployments | \`${shorten(listActions.deployments)}\` | the same |

All of them below \`Microsoft.CognitiveServices/accounts/\`. Files and uploads take \`OpenAI/files/read\`, \`write\` and \`delete\`; batches
\`OpenAI/batch-jobs/read\`, \`write\` and \`cancel/action\`; stored completions \`OpenAI/stored-completions/read\`, \`write\` and \`delete\`; Content Safety
\`ContentSafety/text:analyze/action\` and the like, and \`ContentSafety/blocklists/read\`, \`write\` and \`delete\`. A role on one deployment opens none
of these, since they are of the resource as a whole.
`
}

function renderRole(name: (typeof roleNames)[number]): string {
  const { actions, notActions, dataActions, notDataActions }: RoleDefinition = roleTable[name]
  const line = (title: string, list: readonly string[]) =>
    list.length === 0 ? [] : [`- ${title}: ${list.map((action) => `\`${action}\``).join(', ')}`]
  return [
    `## ${name}`,
    '',
    ...line('actions', actions),
    ...line('but not', notActions),
    ...(dataActions.length === 0 ? ['- data actions: none'] : line('data actions', dataActions)),
    ...line('but not', notDataActions),
  ].join('\n')
}

function kinds() {
  return [...new Set(serverEnds.map(({ kind }) => kind))]
}

function shorten(action: string): string {
  return action.replace('Microsoft.CognitiveServices/accounts/', '')
}
