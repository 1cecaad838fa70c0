import { readdirSync } from 'node:fs'
import os from 'node:os'
import type { ModelCall } from '../../core/call.ts'
import { Fault, toFault } from '../../core/fault.ts'
import { type ChildMessage, type LogLevel, type ParentMessage, packFault } from '../protocol.ts'
import { createEmbedder } from './embed.ts'
import { type LoadedModel, loadModel } from './model.ts'
import { createOutbox } from './outbox.ts'
import { runChat, runCompletion } from './run-call.ts'
import { createSlots } from './slots.ts'

/**
 * The engine process: loads one model and answers calls over the channel to the server that forked it. Native code that dies
 * takes this process only. It says nothing on stdout, and ends when the server does.
 */

/** A little less urgent than the server, whose answers to others must not wait for the model. */
const niceness = 5

type Run = (call: ModelCall, id: number, signal: AbortSignal) => Promise<void>

function main(): void {
  lowerPriority()
  const running = new Map<number, AbortController>()
  let run: Run | undefined
  process.on('disconnect', () => process.exit(0))
  process.on('message', (message: ParentMessage) => {
    if (message.type === 'load') {
      loadModel(message.options, log).then(
        (loaded) => {
          run = createRun(loaded)
          send({ type: 'ready', model: loaded.info })
        },
        (error) => send({ type: 'load-failed', reason: toFault(error).message }),
      )
    } else if (message.type === 'ping') {
      send({ type: 'pong' })
    } else if (message.type === 'abort') {
      running.get(message.id)?.abort(new Fault('client-gone', 'The caller is gone.'))
    } else if (run) {
      const controller = new AbortController()
      running.set(message.id, controller)
      run(message.call, message.id, controller.signal)
        .catch((error) => send({ type: 'fault', id: message.id, fault: packFault(toFault(error)) }))
        .finally(() => running.delete(message.id))
    }
  })
}

/** On Linux every thread has its own priority, inherited from the one that started it; those that run the model exist already. */
function lowerPriority(): void {
  try {
    const threads = process.platform === 'linux' ? readdirSync('/proc/self/task').map(Number) : [0]
    for (const thread of threads) os.setPriority(thread, niceness)
  } catch {
    // Not allowed here: a matter of comfort.
  }
}

function createRun(loaded: LoadedModel): Run {
  const slots = createSlots(loaded.context)
  const embed = createEmbedder(loaded)
  return async (call, id, signal) => {
    if (call.kind === 'embed') {
      send({ type: 'vectors', id, ...(await embed(call, signal)) })
      return
    }
    const outbox = createOutbox((events) => send({ type: 'events', id, events }))
    try {
      if (call.kind === 'chat') await runChat(loaded, slots, call, outbox.push, signal)
      else await runCompletion(loaded, slots, call, outbox.push, signal)
    } finally {
      outbox.flush()
    }
    send({ type: 'end', id })
  }
}

function log(level: LogLevel, text: string): void {
  send({ type: 'log', level, text })
}

function send(message: ChildMessage): void {
  // The channel may close between two messages of an answer; `disconnect` ends the process.
  if (process.connected) process.send?.(message)
}

main()
