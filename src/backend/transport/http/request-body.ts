import type { Socket } from 'node:net'

/** A piece of a request's body, chunked (RFC 9112, section 7.1). Resolves when the socket can take more, or has ended. */
export async function writeChunk(socket: Socket, piece: Uint8Array): Promise<void> {
  // An empty chunk would end the body.
  if (piece.length === 0) return
  socket.write(`${piece.length.toString(16)}\r\n`)
  socket.write(piece)
  if (socket.write('\r\n')) return
  await new Promise<void>((resolve) => {
    const settle = (): void => {
      socket.off('drain', settle)
      socket.off('close', settle)
      resolve()
    }
    socket.on('drain', settle)
    socket.on('close', settle)
    if (socket.destroyed) settle()
  })
}

export function writeLastChunk(socket: Socket): void {
  socket.write('0\r\n\r\n')
}
