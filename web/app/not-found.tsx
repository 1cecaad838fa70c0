import { Link } from '@tanstack/react-router'
import { useSpeech } from '../text/text.tsx'
import { Empty } from '../ui/states.tsx'

export function NotFound() {
  const { t } = useSpeech()
  return (
    <Empty title={t('notFound.title')}>
      <Link to="/">{t('nav.overview')}</Link>
    </Empty>
  )
}
