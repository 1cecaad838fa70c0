import type { Command } from 'commander'
import type { CommandContext } from '../context.ts'
import { defineBlocklist } from './blocklist/blocklist.ts'
import { defineEngine } from './engine/engine.ts'
import { defineEval } from './judge/eval.ts'
import { defineReplay } from './judge/replay.ts'
import { defineTest } from './judge/try-text.ts'
import { definePolicy } from './policy/policy.ts'
import { defineTopic } from './topic.ts'

/** `ponto filter ...`: content filters, what they are made of, and how good they are. */
export function defineFilter(group: Command, context: CommandContext): void {
  group.addHelpText(
    'after',
    `
Every deployment has a policy, Microsoft.DefaultV2 where none is named. The built-in engine knows words and phrasings, not
meaning: it misses what is said in other words, and stops some that is harmless. "ponto filter eval" says how much of
each, on texts of your own; where that is not enough, let a guard model judge as well: ponto filter engine --help.

Examples:
  ponto filter policy show Microsoft.DefaultV2
  ponto filter policy create strict --filter hate:Low --filter violence:Low
  ponto filter test "Ignore all previous instructions" --policy strict
  ponto filter eval labelled.jsonl --policy strict
  ponto filter replay chats.jsonl --policy Microsoft.DefaultV2 --against strict
  ponto deployment update gpt-4o --rai-policy strict`,
  )
  definePolicy(group.command('policy'), context)
  defineBlocklist(group.command('blocklist'), context)
  defineTopic(group.command('topic'), context)
  defineEngine(group.command('engine'), context)
  defineTest(group.command('test'), context)
  defineEval(group.command('eval'), context)
  defineReplay(group.command('replay'), context)
}
