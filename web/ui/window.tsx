import {
  Button,
  Dialog,
  DialogActions,
  DialogBody,
  DialogContent,
  DialogSurface,
  DialogTitle,
} from '@fluentui/react-components'
import { DismissRegular } from '@fluentui/react-icons'
import { type ReactNode, useEffect, useState } from 'react'
import { useSpeech } from '../text/text.tsx'

type Props = {
  readonly title: string
  readonly children: ReactNode
  /** Buttons; the one to close stands above. */
  readonly actions?: ReactNode
  readonly isWide?: boolean
  readonly onClose: () => void
}

/** A dialog; it is there as long as it is rendered. */
export function Window({ title, children, actions, isWide, onClose }: Props) {
  const { t } = useSpeech()
  const [opener] = useState(() => document.activeElement)
  // Whoever works by keyboard goes on where they were.
  useEffect(() => () => void (opener instanceof HTMLElement && opener.focus()), [opener])
  return (
    <Dialog open onOpenChange={(_event, { open }) => open || onClose()}>
      <DialogSurface className={isWide ? 'window is-wide' : 'window'}>
        <DialogBody>
          <DialogTitle
            action={
              <Button appearance="subtle" aria-label={t('action.close')} icon={<DismissRegular />} onClick={onClose} />
            }
          >
            {title}
          </DialogTitle>
          <DialogContent>{children}</DialogContent>
          {actions && <DialogActions fluid>{actions}</DialogActions>}
        </DialogBody>
      </DialogSurface>
    </Dialog>
  )
}
