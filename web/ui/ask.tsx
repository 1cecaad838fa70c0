import { Button, Spinner } from '@fluentui/react-components'
import { type ReactNode, useState } from 'react'
import { useSpeech } from '../text/text.tsx'
import { ErrorNote } from './states.tsx'
import { Window } from './window.tsx'

type Props = {
  readonly title: string
  /** What will be different afterwards. */
  readonly children: ReactNode
  /** What the button says: the deed itself, never "OK". */
  readonly action: string
  readonly isDangerous?: boolean
  readonly onAct: () => Promise<unknown>
  readonly onClose: () => void
}

/** Before something that cannot be taken back: names its effect, does it, and shows why it could not be done. */
export function Ask({ title, children, action, isDangerous = true, onAct, onClose }: Props) {
  const { t } = useSpeech()
  const [error, setError] = useState<unknown>()
  const [isBusy, setBusy] = useState(false)

  async function act(): Promise<void> {
    setBusy(true)
    setError(undefined)
    try {
      await onAct()
      onClose()
    } catch (failure) {
      setError(failure)
      setBusy(false)
    }
  }
  return (
    <Window
      title={title}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t('action.cancel')}</Button>
          <Button
            appearance="primary"
            className={isDangerous ? 'danger' : ''}
            disabled={isBusy}
            icon={isBusy ? <Spinner size="tiny" /> : undefined}
            onClick={() => void act()}
          >
            {action}
          </Button>
        </>
      }
    >
      <div className="stack">
        {children}
        {error !== undefined && <ErrorNote error={error} />}
      </div>
    </Window>
  )
}
