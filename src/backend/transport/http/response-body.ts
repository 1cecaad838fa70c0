import { Fault } from '../../../core/fault.ts'

/** Where the bytes come from: a connection. */
export type BodySource = {
  /** Reads on after a pause. */
  resume(): void
  /** The reader left before the end: nobody wants the rest. */
  abandon(): void
}

type Waiter = {
  readonly resolve: (step: IteratorResult<Uint8Array, undefined>) => void
  readonly reject: (fault: Fault) => void
}

const resumeBelowBytes = 65_536
const doneStep: IteratorResult<Uint8Array, undefined> = { done: true, value: undefined }

/** The body between a socket that pushes and a reader that pulls. Read once; what came before a failure is delivered first. */
export class ResponseBody implements AsyncIterableIterator<Uint8Array, undefined> {
  /** Taken from the source, not yet by the reader. */
  bufferedBytes = 0
  #source: BodySource | undefined
  #parts: Uint8Array[] = []
  #nextPart = 0
  #waiter: Waiter | undefined
  #fault: Fault | undefined

  constructor(source: BodySource) {
    this.#source = source
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  push(part: Uint8Array): void {
    const waiter = this.#waiter
    if (waiter) {
      this.#waiter = undefined
      waiter.resolve({ done: false, value: part })
    } else {
      this.#parts.push(part)
      this.bufferedBytes += part.length
    }
  }

  /** The message is complete: no more will be pushed. */
  finish(): void {
    this.#source = undefined
    this.#waiter?.resolve(doneStep)
    this.#waiter = undefined
  }

  /** No more will come, and that is an error. */
  fail(fault: Fault): void {
    this.#source = undefined
    if (this.#waiter) this.#waiter.reject(fault)
    else this.#fault = fault
    this.#waiter = undefined
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#nextPart < this.#parts.length) return Promise.resolve({ done: false, value: this.#shift() })
    if (this.#fault) {
      const fault = this.#fault
      this.#fault = undefined
      return Promise.reject(fault)
    }
    if (!this.#source) return Promise.resolve(doneStep)
    if (this.#waiter) return Promise.reject(new Fault('internal', 'a response body was read twice at the same time'))
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject }
    })
  }

  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    const source = this.#source
    this.finish()
    this.#parts = []
    this.#nextPart = 0
    this.bufferedBytes = 0
    this.#fault = undefined
    source?.abandon()
    return Promise.resolve(doneStep)
  }

  #shift(): Uint8Array {
    const part = this.#parts[this.#nextPart++] as Uint8Array
    if (this.#nextPart === this.#parts.length) {
      this.#parts = []
      this.#nextPart = 0
    }
    this.bufferedBytes -= part.length
    if (this.bufferedBytes < resumeBelowBytes) this.#source?.resume()
    return part
  }
}
