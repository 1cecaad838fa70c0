import { Button, MessageBar, MessageBarBody, MessageBarTitle, Spinner } from '@fluentui/react-components'
import type { ReactNode } from 'react'
import { ApiError } from '../api/request.ts'
import { NotConfirmed } from '../app/session.tsx'
import { useSpeech } from '../text/text.tsx'

/** What a page shows while it has nothing, has not got it yet, or could not get it. */

type EmptyProps = { readonly title: string; readonly text?: string | undefined; readonly children?: ReactNode }

export function Empty({ title, text, children }: EmptyProps) {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {text && <p>{text}</p>}
      {children}
    </div>
  )
}

export function Loading() {
  const { t } = useSpeech()
  return <Spinner className="loading" size="small" label={t('state.loading')} />
}

type ErrorProps = {
  readonly error: unknown
  /** In place of what the server says. */
  readonly text?: string | undefined
  readonly onRetry?: (() => void) | undefined
}

/** A refusal in the server's words, and every field that it names. */
export function ErrorNote({ error, text, onRetry }: ErrorProps) {
  const { t } = useSpeech()
  if (error instanceof NotConfirmed) return null
  const details = error instanceof ApiError ? error.details : []
  const isAway = error instanceof ApiError && error.status === 0
  return (
    <MessageBar intent="error" layout="multiline" role="alert">
      <MessageBarBody>
        <MessageBarTitle>{isAway ? t('error.away') : t('error.title')}</MessageBarTitle>
        {text ?? (isAway ? t('error.awayText') : error instanceof Error ? error.message : String(error))}
        {details.length > 1 && (
          <ul>
            {details.map(({ message, target }) => (
              <li key={`${target}${message}`}>{target ? `${target}: ${message}` : message}</li>
            ))}
          </ul>
        )}
        {onRetry && (
          <div>
            <Button size="small" onClick={onRetry}>
              {t('action.retry')}
            </Button>
          </div>
        )}
      </MessageBarBody>
    </MessageBar>
  )
}

type QueryState<T> = { readonly data: T | undefined; readonly error: unknown; refetch(): unknown }

/** What a query came to; what was read before stays in sight when it cannot be read again. */
export function Loaded<T>({
  query,
  children,
}: {
  readonly query: QueryState<T>
  readonly children: (data: T) => ReactNode
}) {
  const { data, error } = query
  if (data === undefined && !error) return <Loading />
  return (
    <>
      {error !== null && error !== undefined && <ErrorNote error={error} onRetry={() => void query.refetch()} />}
      {data !== undefined && children(data)}
    </>
  )
}
