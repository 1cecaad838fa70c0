import { Button, Field, Input, Spinner } from '@fluentui/react-components'
import { type FormEvent, useEffect, useState } from 'react'
import type { SignIn } from '../../src/control/portal/api.ts'
import { ApiError } from '../api/request.ts'
import { useSpeech } from '../text/text.tsx'
import { ErrorNote } from '../ui/states.tsx'
import { Logo } from './logo.tsx'

/** What somebody typed: the credential, or a link as it was printed, or its end. */
export function readProof(text: string): SignIn {
  const code = /#code=([\w-]+)/.exec(text)?.[1]
  return code === undefined ? { credential: text.trim() } : { code }
}

type Props = { readonly onSignIn: (proof: SignIn) => Promise<void>; readonly problem: unknown }

export function SignInPage({ onSignIn, problem }: Props) {
  const { t } = useSpeech()
  useEffect(() => {
    document.title = `${t('signIn.title')} · Ponto`
  }, [t])
  return (
    <main className="sign-in">
      <div className="section sign-in-card">
        <div className="sign-in-head">
          <Logo />
          <h1>{t('signIn.title')}</h1>
        </div>
        <p>{t('signIn.intro')}</p>
        <ProofForm onProof={onSignIn} action={t('signIn.action')} problem={problem} />
        <details>
          <summary>{t('signIn.whereTitle')}</summary>
          <p>{t('signIn.whereLink')}</p>
          <pre className="inline-code">npx ponto portal</pre>
          <p>{t('signIn.whereCredential')}</p>
          <pre className="inline-code">~/.ponto/management.key</pre>
          <p className="quiet">{t('signIn.notAKey')}</p>
        </details>
      </div>
    </main>
  )
}

type FormProps = {
  readonly onProof: (proof: SignIn) => Promise<void>
  readonly action: string
  readonly problem?: unknown
}

/** Asks who somebody is: a credential or a link. */
export function ProofForm({ onProof, action, problem }: FormProps) {
  const { t } = useSpeech()
  const [text, setText] = useState('')
  const [error, setError] = useState(problem)
  const [isBusy, setBusy] = useState(false)

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault()
    setBusy(true)
    setError(undefined)
    try {
      await onProof(readProof(text))
    } catch (failure) {
      setError(failure)
      setText('')
    } finally {
      setBusy(false)
    }
  }
  return (
    <form onSubmit={submit} className="stack">
      {error !== undefined && <ErrorNote error={error} text={describe(error)} />}
      <Field label={t('signIn.field')} hint={t('signIn.hint')}>
        <Input
          type="password"
          value={text}
          onChange={(_event, { value }) => setText(value)}
          autoComplete="current-password"
          required
          autoFocus
        />
      </Field>
      <Button type="submit" appearance="primary" disabled={isBusy || text.trim() === ''}>
        {isBusy ? <Spinner size="tiny" /> : action}
      </Button>
    </form>
  )

  function describe(failure: unknown): string | undefined {
    if (!(failure instanceof ApiError)) return undefined
    if (failure.code === 'LinkSpent') return t('signIn.linkSpent')
    if (failure.status === 403) return t('signIn.isAKey')
    if (failure.status === 429) return t('signIn.tooMany')
    return failure.status === 401 ? t('signIn.wrong') : undefined
  }
}
