import { createServer, type Socket } from 'node:net'
import { serveParent } from './child.ts'
import { answerBody, paceMs, streamEvents } from './workloads.ts'

/** An upstream that costs as little as can be: sockets, ready-made answers, no HTTP library. A process of its own. */

const whole = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(answerBody)}\r\n\r\n${answerBody}`,
)
const streamHead = Buffer.from(
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n',
)
const chunks = [...streamEvents, '[DONE]'].map((event) => {
  const text = `data: ${event}\n\n`
  return Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`)
})
const streamEnd = Buffer.from('0\r\n\r\n')

let streamCount = 0

function answer(socket: Socket, request: string): void {
  if (!request.includes('"stream":true')) {
    socket.write(whole)
    return
  }
  socket.write(streamHead)
  let next = 0
  const writeNext = (): boolean => {
    socket.write(chunks[next++] as Buffer)
    if (next < chunks.length) return !socket.destroyed
    socket.write(streamEnd)
    return false
  }
  if (request.includes('"model":"paced"')) {
    const writeLater = () => {
      if (writeNext()) setTimeout(writeLater, paceMs)
    }
    // Streams that began together do not tick together.
    setTimeout(writeLater, streamCount++ % paceMs)
  } else {
    const writeSoon = () => {
      if (writeNext()) setImmediate(writeSoon)
    }
    writeSoon()
  }
}

function take(socket: Socket): void {
  let text = ''
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  socket.on('data', (bytes) => {
    text += bytes.toString('latin1')
    const headEnd = text.indexOf('\r\n\r\n')
    if (headEnd < 0) return
    const length = Number(/content-length: *(\d+)/i.exec(text)?.[1] ?? 0)
    if (text.length < headEnd + 4 + length) return
    const request = text
    text = ''
    answer(socket, request)
  })
}

const server = createServer(take)
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  serveParent(typeof address === 'object' ? address?.port : undefined)
})
