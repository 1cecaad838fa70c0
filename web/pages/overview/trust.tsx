import { Link as TextLink } from '@fluentui/react-components'
import { useSpeech } from '../../text/text.tsx'
import { CodeTabs } from '../../ui/code-block.tsx'
import { Section } from '../../ui/page.tsx'

/** How clients are told to trust the local authority. `folder`: where the server keeps its data. */
export function Trust({ folder }: { readonly folder: string }) {
  const { t } = useSpeech()
  const file = `${folder}/ca.pem`
  return (
    <Section
      title={t('trust.title')}
      actions={
        <TextLink href="/portal/authority.pem" download="ponto-ca.pem">
          {t('trust.download')}
        </TextLink>
      }
    >
      <p className="quiet first-call-hint">{t('trust.text')}</p>
      <CodeTabs
        samples={[
          { id: 'all', title: t('trust.shell'), code: 'eval "$(npx ponto env)"' },
          { id: 'curl', title: 'curl', code: `curl --cacert ${file} ...` },
          {
            id: 'python',
            title: 'Python',
            code: `export SSL_CERT_FILE=${folder}/ca-bundle.pem\nexport REQUESTS_CA_BUNDLE=${folder}/ca-bundle.pem`,
          },
          { id: 'javascript', title: 'Node', code: `export NODE_EXTRA_CA_CERTS=${file}` },
          {
            id: 'java',
            title: 'Java',
            code: `keytool -importcert -noprompt -cacerts -storepass changeit -alias ponto -file ${file}`,
          },
          { id: 'go', title: 'Go, .NET', code: `export SSL_CERT_FILE=${folder}/ca-bundle.pem` },
        ]}
      />
    </Section>
  )
}
