import { Spinner } from '@fluentui/react-components'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useRef, useState } from 'react'
import type { SessionView, SignIn } from '../../src/control/portal/api.ts'
import { sessionQuery } from '../api/queries.ts'
import { ApiError, onSessionEnd, request } from '../api/request.ts'
import { useSpeech } from '../text/text.tsx'
import { ErrorNote } from '../ui/states.tsx'
import { ConfirmPerson } from './confirm-person.tsx'
import { readProof, SignInPage } from './sign-in.tsx'

type SessionParts = {
  readonly session: SessionView
  /** Does what needs a fresh confirmation, having asked for it where the last one is too old. Rejects with undefined where somebody rather not. */
  withConfirmation<T>(act: () => Promise<T>): Promise<T>
  signOut(isEverywhere: boolean): Promise<void>
}

const Context = createContext<SessionParts | undefined>(undefined)

export function useSession(): SessionParts {
  return useContext(Context) as SessionParts
}

/** Thrown where somebody closes the dialog that asks who they are. */
export class NotConfirmed extends Error {}

/** Shows the portal to whoever is signed in, and everybody else how to sign in. */
export function SessionGate({ children }: { readonly children: ReactNode }) {
  const { t } = useSpeech()
  const queries = useQueryClient()
  const { data: session, error, isPending, refetch } = useQuery(sessionQuery)
  const [problem, setProblem] = useState<unknown>()
  const [isRedeeming, setRedeeming] = useState(() => readLinkCode() !== undefined)

  useEffect(() => {
    onSessionEnd(() => {
      if (queries.getQueryData(sessionQuery.queryKey)) void queries.resetQueries({ queryKey: sessionQuery.queryKey })
    })
    return () => onSessionEnd(() => {})
  }, [queries])

  const signIn = useCallback(
    async (proof: SignIn) => {
      const opened = await request<SessionView>('POST', '/portal/session', proof)
      queries.setQueryData(sessionQuery.queryKey, opened)
    },
    [queries],
  )

  // A link is spent by being opened; what remains of it in the address is taken away before anything else.
  useEffect(() => {
    const code = readLinkCode()
    if (code === undefined) return
    history.replaceState(null, '', location.pathname + location.search)
    signIn({ code })
      .catch(setProblem)
      .finally(() => setRedeeming(false))
  }, [signIn])

  if (isPending || isRedeeming) return <Spinner className="whole-page" label={t('state.loading')} />
  if (session) return <SignedIn session={session}>{children}</SignedIn>
  if (error instanceof ApiError && error.status !== 401) {
    return (
      <div className="whole-page">
        <ErrorNote error={error} onRetry={() => void refetch()} />
      </div>
    )
  }
  return <SignInPage onSignIn={signIn} problem={problem} />
}

function readLinkCode(): string | undefined {
  const proof = location.hash.startsWith('#code=') ? readProof(location.hash) : undefined
  return proof && 'code' in proof ? proof.code : undefined
}

function SignedIn({ session, children }: { readonly session: SessionView; readonly children: ReactNode }) {
  const queries = useQueryClient()
  const [isAsking, setAsking] = useState(false)
  const settle = useRef<{ resolve: () => void; reject: (error: Error) => void } | undefined>(undefined)

  const parts = useMemo<SessionParts>(
    () => ({
      session,
      async withConfirmation(act) {
        try {
          return await act()
        } catch (error) {
          if (!(error instanceof ApiError) || error.code !== 'ConfirmationRequired') throw error
        }
        await new Promise<void>((resolve, reject) => {
          settle.current = { resolve, reject }
          setAsking(true)
        })
        return act()
      },
      async signOut(isEverywhere) {
        await request('DELETE', isEverywhere ? '/portal/sessions' : '/portal/session')
        queries.clear()
        location.reload()
      },
    }),
    [session, queries],
  )

  const finish = (end: 'resolve' | 'reject'): void => {
    setAsking(false)
    settle.current?.[end](new NotConfirmed())
    settle.current = undefined
  }
  return (
    <Context value={parts}>
      {children}
      {isAsking && (
        <ConfirmPerson
          onConfirm={async (proof) => {
            const confirmed = await request<SessionView>('POST', '/portal/session/confirm', proof)
            queries.setQueryData(sessionQuery.queryKey, confirmed)
            finish('resolve')
          }}
          onClose={() => finish('reject')}
        />
      )}
    </Context>
  )
}
