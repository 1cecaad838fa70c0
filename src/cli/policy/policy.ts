import { type Command, Option } from 'commander'
import type { DeploymentPolicyView, PolicyFinding, PolicyTest } from '../../control/api.ts'
import type { JsonObject } from '../../core/json.ts'
import type { CommandContext } from '../context.ts'
import { describeSource } from '../filter/describe-source.ts'
import { openManagementClient } from '../management-client.ts'
import { type Column, formatTime, printFacts, printList, printRows } from '../terminal/print.ts'
import { readDocumentFile, requireName } from '../terminal/read-file.ts'
import { conditionForm, describeConditions, parseCondition, parseDefault } from './conditions.ts'

const columns: readonly Column<DeploymentPolicyView>[] = [
  { title: 'name', read: ({ name }) => name },
  { title: 'effect', read: ({ effect }) => effect },
  { title: 'when', read: ({ when }) => describeConditions(when) || 'always' },
  { title: 'what', read: describeRule },
  { title: 'violations', read: ({ violations }) => String(violations.length) },
  { title: 'declared in', read: describeSource },
]

const pathOf = (name: string): string => `deployment-policies/${encodeURIComponent(name)}`

/** `ponto policy ...`: what deployments may be like. */
export function definePolicy(group: Command, context: CommandContext): void {
  group.addHelpText(
    'after',
    `
A policy is judged wherever a deployment is made or changed: here, in the API, in the configuration file, by import. What was
there before it stays, and is shown as a violation. Fields: model, format, version, sku (none: without one), capacity,
tokensPerMinute, requestsPerMinute, raiPolicyName, backendLabels (builtin: the built-in engine), tags.NAME.

Examples:
  ponto policy create approved --effect deny --allow 'model=gpt-4o*,Mistral-*'
  ponto policy create small-tests --effect deny --when tags.env=test --allow capacity=..10
  ponto policy create owners --effect audit --allow 'tags.owner=*'
  ponto policy create strict --effect default --set raiPolicyName=Strict --set tags.env=test
  ponto policy test --file deployment.yaml`,
  )
  group
    .command('list')
    .description('all policies, with how many deployments are not as they have it')
    .action(async () => {
      const client = openManagementClient(context)
      const { value } = await client.call<{ value: DeploymentPolicyView[] }>('deployment-policies')
      const whenEmpty =
        "There are no policies. Make one with: ponto policy create NAME --effect deny --allow 'model=gpt-4o*'"
      await printList(context, value, columns, whenEmpty)
    })
  group
    .command('show')
    .description('one policy, and what is not as it has it')
    .argument('<name>', 'in any case')
    .action(async (name: string) => {
      await showPolicy(context, await openManagementClient(context).call<DeploymentPolicyView>(pathOf(name)))
    })
  const create = group.command('create').description('make a policy, or put it in the place of the one of its name')
  create
    .argument('[name]', 'name of the policy')
    .addOption(new Option('--effect <effect>', 'deny refuses, audit tells, default completes').choices(effects))
    .option('--when <condition>', `which deployments it is about: ${conditionForm}; repeat it`, parseCondition)
    .option('--allow <condition>', `what they have to be like: ${conditionForm}; repeat it`, parseCondition)
    .option('--set <field=value>', 'what is filled in where nothing is given; repeat it', parseDefault)
    .option('--description <text>', 'what it is for')
    .option('--file <policy>', 'read everything from a YAML or JSON file, - for standard input')
    .option('--dry-run', 'judge it and say what is not as it has it; write nothing')
    .action(async (name: string | undefined) => {
      const { name: path, ...body } = await readPolicy(create, context, name)
      const client = openManagementClient(context)
      const query = create.opts().dryRun ? '?dryRun=true' : ''
      await showPolicy(
        context,
        await client.call<DeploymentPolicyView>(pathOf(path as string) + query, { method: 'PUT', body }),
      )
    })
  group
    .command('delete')
    .description('remove a policy')
    .argument('<name>', 'in any case')
    .action(async (name: string) => {
      await openManagementClient(context).call(pathOf(name), { method: 'DELETE' })
      if (context.format() === 'table') context.stdout.write(`Deleted ${name}.\n`)
    })
  const test = group.command('test').description('what the policies make of a deployment, or of all there are')
  test
    .option('--file <deployment>', 'a deployment in a YAML or JSON file, - for standard input; all there are without')
    .option('--policy <file>', 'judge by the policy in this YAML or JSON file only, whether or not it exists')
    .addHelpText('after', '\nEnds with 1 when something would be refused.')
    .action(async () => {
      const { file, policy } = test.opts()
      const body = {
        ...(file !== undefined && { deployment: await readDocumentFile(context, file, 'deployment: name, model') }),
        ...(policy !== undefined && { policy: await readDocumentFile(context, policy, 'policy: name, effect, allow') }),
      }
      const client = openManagementClient(context)
      await showTest(context, await client.call<PolicyTest>('deployment-policies/test', { method: 'POST', body }))
    })
}

const effects = ['deny', 'audit', 'default'] as const

const findingColumns: readonly Column<PolicyFinding>[] = [
  { title: 'deployment', read: ({ deployment }) => deployment },
  { title: 'policy', read: ({ policy }) => policy },
  { title: 'effect', read: ({ effect }) => effect },
  { title: 'field', read: ({ field }) => field },
  { title: 'got', read: ({ got }) => got },
  { title: 'allowed', read: ({ allowed }) => allowed },
]

async function readPolicy(command: Command, context: CommandContext, name: string | undefined): Promise<JsonObject> {
  const { file, effect, when, allow, set, description } = command.opts()
  if (file !== undefined) {
    if ([effect, when, allow, set, description].some((given) => given !== undefined)) {
      command.error('error: --file says everything; leave the other flags away')
    }
    const document = await readDocumentFile(context, file, 'policy: name, effect, allow')
    return { ...document, name: requireName(document, file, name, 'deployment policy') }
  }
  if (!name)
    return command.error('error: a name is missing: ponto policy create NAME --effect deny --allow model=gpt-4o')
  if (effect === undefined) return command.error(`error: --effect is missing: ${effects.join(', ')}`)
  const rule = effect === 'default' ? { set } : { allow }
  const wrong = effect === 'default' ? allow && '--allow' : set && '--set'
  if (wrong) return command.error(`error: ${wrong} is not for --effect ${effect}`)
  if (!set && !allow) return command.error(`error: ${effect === 'default' ? '--set' : '--allow'} is missing`)
  return { name, effect, ...(when && { when }), ...rule, ...(description !== undefined && { description }) }
}

function describeRule(view: DeploymentPolicyView): string {
  return view.effect === 'default' ? `set ${describeConditions(view.set)}` : `allow ${describeConditions(view.allow)}`
}

async function showPolicy(context: CommandContext, view: DeploymentPolicyView): Promise<void> {
  const { name, effect, when, description, violations } = view
  await printFacts(context, view, [
    ['Name', name],
    ...(description === undefined ? [] : [['Description', description] as const]),
    ['Effect', effect],
    ['When', describeConditions(when) || 'always'],
    ['What', describeRule(view)],
    ...violations.map(
      ({ resource, deployment, field, got, allowed }) =>
        [
          'Violation',
          `${resource === undefined ? '' : `${resource}/`}${deployment}: ${field} is ${got}, allowed: ${allowed}`,
        ] as const,
    ),
    ['Declared in', describeSource(view)],
    ['Changed', formatTime(view.updatedAt)],
  ])
}

async function showTest(context: CommandContext, test: PolicyTest): Promise<void> {
  const { isAllowed, findings } = test
  if (context.format() !== 'table') await printFacts(context, test, [])
  else {
    const verdict = isAllowed ? 'Allowed.' : 'Refused.'
    if (findings.length > 0) printRows(context, findings, findingColumns, '')
    context.stdout.write(`${verdict}\n`)
  }
  if (!isAllowed) context.exitWith(1)
}
