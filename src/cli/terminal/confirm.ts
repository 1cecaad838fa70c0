import { createInterface } from 'node:readline'
import { Fault } from '../../core/fault.ts'
import type { CommandContext } from '../context.ts'

/**
 * Asks before what cannot be undone, at a terminal only: a script has made up its mind.
 *
 * @throws Fault `invalid-request` unless the answer is yes.
 */
export async function confirm(context: CommandContext, question: string): Promise<void> {
  if (!context.stdin.isTTY) return
  context.stderr.write(`${question} [y/N] `)
  const lines = createInterface({ input: context.stdin })
  let answer = ''
  for await (const line of lines) {
    answer = line.trim()
    break
  }
  lines.close()
  if (!/^y(es)?$/i.test(answer)) throw new Fault('invalid-request', 'Given up: nothing was changed.')
}
