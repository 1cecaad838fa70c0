import { Fault } from '../../core/fault.ts'
import type { CommandContext } from '../context.ts'

const longestSecret = 8192

/**
 * A secret that appears neither on the command line nor on the screen: typed without echo at a terminal, else the first line of
 * standard input.
 *
 * @throws Fault `invalid-request` when it is empty, too long or given up on.
 */
export async function readSecret(context: CommandContext, prompt: string): Promise<string> {
  const secret = context.stdin.isTTY ? await promptSecret(context, prompt) : await readFirstLine(context)
  if (secret === '') throw new Fault('invalid-request', 'The credential is empty: nothing came on standard input.')
  if (secret.length > longestSecret) {
    throw new Fault('invalid-request', `The credential is longer than ${longestSecret} characters.`)
  }
  return secret
}

async function readFirstLine(context: CommandContext): Promise<string> {
  return ((await readAll(context, longestSecret * 4)).split('\n')[0] ?? '').trim()
}

/** The whole of standard input as text, up to `limit` octets. */
export async function readAll(context: CommandContext, limit: number): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of context.stdin) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    length += bytes.length
    if (length > limit) throw new Fault('invalid-request', `Standard input is longer than ${limit} octets.`)
    chunks.push(bytes)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function promptSecret(context: CommandContext, prompt: string): Promise<string> {
  const { stdin, stderr } = context
  // Before the question is asked: a quick answer must not be echoed.
  stdin.setRawMode?.(true)
  stderr.write(prompt)
  return new Promise<string>((settle, fail) => {
    let typed = ''
    const finish = () => {
      stdin.off('data', onData)
      stdin.setRawMode?.(false)
      stdin.pause()
      stderr.write('\n')
    }
    const onData = (chunk: Buffer | string) => {
      for (const key of chunk.toString()) {
        if (key === '\r' || key === '\n' || key === '\u0004') {
          finish()
          return settle(typed.trim())
        }
        if (key === '\u0003') {
          finish()
          return fail(new Fault('invalid-request', 'Given up.'))
        }
        if (key === '\u007f' || key === '\b') typed = typed.slice(0, -1)
        else typed += key
      }
    }
    stdin.on('data', onData)
    stdin.resume()
  })
}
