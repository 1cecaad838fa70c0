import { Button } from '@fluentui/react-components'
import { useSpeech } from '../text/text.tsx'
import { Empty } from '../ui/states.tsx'

/** A page that could not be loaded or shown; most often the server was updated meanwhile. */
export function RouteError({ error }: { readonly error: unknown }) {
  const { t } = useSpeech()
  return (
    <Empty title={t('error.page')} text={error instanceof Error ? error.message : String(error)}>
      <Button appearance="primary" onClick={() => location.reload()}>
        {t('action.reload')}
      </Button>
    </Empty>
  )
}
