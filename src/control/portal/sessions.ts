import { createHash, randomBytes } from 'node:crypto'
import { operator, type Principal } from '../../core/access/principal.ts'

/**
 * Browsers that are signed in to the portal, and the links that sign one in. Both live in memory and end with the server; of their secrets
 * only digests are held.
 */
export type Sessions = {
  /** A link that signs in once. Resolves to its secret. */
  issueLink(): { readonly code: string; readonly expiresAt: number }
  /** Whether the secret was that of a link, which it then no longer is. */
  redeemLink(code: string): boolean
  open(): { readonly token: string; readonly session: Session }
  /** undefined for a session that has ended, or never was. */
  find(token: string): Session | undefined
  /** Whoever sits there has just shown once more who they are. undefined where nobody is signed in. */
  confirm(token: string): Session | undefined
  close(token: string): void
  /** Ends all of them; links too. */
  closeAll(): void
}

export type Session = {
  /** Who is signed in: the operator, who for a while after a confirmation may see and make secrets. */
  readonly principal: Principal
  /** Unix milliseconds. */
  readonly expiresAt: number
  readonly confirmedUntil: number
}

export const sessionMs = 12 * 60 * 60 * 1000
export const linkMs = 10 * 60 * 1000
export const confirmationMs = 5 * 60 * 1000

/** Beyond that the oldest end: each start of a browser may leave one behind. */
const maxSessions = 200
const maxLinks = 20
const secretBytes = 32

type Kept = Omit<Session, 'principal'>

export function createSessions(now: () => number): Sessions {
  const sessions = new Map<string, Kept>()
  const links = new Map<string, number>()

  function findKept(key: string): Kept | undefined {
    const kept = sessions.get(key)
    if (!kept || now() < kept.expiresAt) return kept
    sessions.delete(key)
    return undefined
  }

  function keep(key: string, expiresAt: number): Session {
    const kept = { expiresAt, confirmedUntil: now() + confirmationMs }
    sessions.set(key, kept)
    return describe(kept)
  }

  return {
    issueLink() {
      const code = makeSecret()
      const expiresAt = now() + linkMs
      links.set(digest(code), expiresAt)
      forgetOldest(links, maxLinks)
      return { code, expiresAt }
    },
    redeemLink(code) {
      const key = digest(code)
      const expiresAt = links.get(key)
      links.delete(key)
      return expiresAt !== undefined && now() < expiresAt
    },
    open() {
      const token = makeSecret()
      const session = keep(digest(token), now() + sessionMs)
      forgetOldest(sessions, maxSessions)
      return { token, session }
    },
    find(token) {
      const kept = findKept(digest(token))
      return kept && describe(kept)
    },
    confirm(token) {
      const key = digest(token)
      const kept = findKept(key)
      return kept && keep(key, kept.expiresAt)
    },
    close(token) {
      sessions.delete(digest(token))
    },
    closeAll() {
      sessions.clear()
      links.clear()
    },
  }
}

function describe(kept: Kept): Session {
  return { ...kept, principal: { ...operator, name: 'the portal', secretsUntil: kept.confirmedUntil } }
}

function forgetOldest(kept: Map<string, unknown>, most: number): void {
  if (kept.size > most) kept.delete(kept.keys().next().value as string)
}

function makeSecret(): string {
  return randomBytes(secretBytes).toString('base64url')
}

function digest(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}
