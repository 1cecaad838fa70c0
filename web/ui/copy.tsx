import { Button, Tooltip } from '@fluentui/react-components'
import { CheckmarkRegular, CopyRegular } from '@fluentui/react-icons'
import { useEffect, useState } from 'react'
import { useSpeech } from '../text/text.tsx'

const shownMs = 1_500

/** Tells `label` and "copied"; `read` may ask somebody first. */
export function CopyButton({ label, read }: { readonly label: string; readonly read: () => string | Promise<string> }) {
  const { t } = useSpeech()
  const [isDone, setDone] = useState(false)
  useEffect(() => {
    if (!isDone) return
    const timer = setTimeout(() => setDone(false), shownMs)
    return () => clearTimeout(timer)
  }, [isDone])

  async function copy(): Promise<void> {
    try {
      await writeClipboard(await read())
      setDone(true)
    } catch {
      // Somebody would rather not say who they are, or the browser has no clipboard for us: nothing is copied, and nothing says so.
    }
  }
  return (
    <Tooltip content={isDone ? t('action.copied') : t('action.copyOf', { what: label })} relationship="label">
      <Button
        appearance="subtle"
        size="small"
        icon={isDone ? <CheckmarkRegular className="done" /> : <CopyRegular />}
        onClick={() => void copy()}
      />
    </Tooltip>
  )
}

/** Pages over plain HTTP from another machine have no clipboard of their own; the older way works there. */
async function writeClipboard(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text)
  const area = document.createElement('textarea')
  area.value = text
  area.className = 'off-screen'
  document.body.append(area)
  area.select()
  document.execCommand('copy')
  area.remove()
}
