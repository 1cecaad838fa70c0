import { Button, Spinner } from '@fluentui/react-components'
import { useSpeech } from '../text/text.tsx'
import { ErrorNote } from './states.tsx'

type Props = {
  /** What the button says: the deed itself, never "OK". */
  readonly action: string
  /** Why it could not be done. */
  readonly error: unknown
  readonly isBusy: boolean
  readonly onClose: () => void
}

/** The end of a form in a window: sends it or leaves it, and shows why it was refused. */
export function FormActions({ action, error, isBusy, onClose }: Props) {
  const { t } = useSpeech()
  return (
    <>
      {error !== undefined && <ErrorNote error={error} />}
      <div className="window-actions">
        <Button onClick={onClose}>{t('action.cancel')}</Button>
        <Button
          type="submit"
          appearance="primary"
          disabled={isBusy}
          icon={isBusy ? <Spinner size="tiny" /> : undefined}
        >
          {action}
        </Button>
      </div>
    </>
  )
}
