import type { SignIn } from '../../src/control/portal/api.ts'
import { useSpeech } from '../text/text.tsx'
import { Window } from '../ui/window.tsx'
import { ProofForm } from './sign-in.tsx'

type Props = { readonly onConfirm: (proof: SignIn) => Promise<void>; readonly onClose: () => void }

/** Before a secret is shown to a browser that has stood open for a while. */
export function ConfirmPerson({ onConfirm, onClose }: Props) {
  const { t } = useSpeech()
  return (
    <Window title={t('confirm.title')} onClose={onClose}>
      <p>{t('confirm.why')}</p>
      <ProofForm onProof={onConfirm} action={t('confirm.action')} />
    </Window>
  )
}
