import {
  defaultResource,
  detectResources,
  envDetector,
  type Resource,
  resourceFromAttributes,
} from '@opentelemetry/resources'

export const scope = { name: 'ponto' }

/** Who tells. What the operator says in OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES comes first. */
export function describeServer(version: string, instance: string): Resource {
  const own = { 'service.name': 'ponto', 'service.version': version, 'service.instance.id': instance }
  return defaultResource()
    .merge(resourceFromAttributes(own))
    .merge(detectResources({ detectors: [envDetector] }))
}
