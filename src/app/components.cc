// SPDX-License-Identifier: Apache-2.0

#include "app/components.h"

#include "app/query_extension.h"
#include "pipeline/connectors/forward.h"
#include "pipeline/connectors/routing.h"
#include "pipeline/connectors/service_graph.h"
#include "pipeline/connectors/span_metrics.h"
#include "pipeline/exporters/debug.h"
#include "pipeline/exporters/file.h"
#include "pipeline/exporters/load_balancing.h"
#include "pipeline/exporters/nop.h"
#include "pipeline/exporters/otlp_grpc.h"
#include "pipeline/exporters/otlp_http.h"
#include "pipeline/exporters/prometheus.h"
#include "pipeline/exporters/spanloom_store.h"
#include "pipeline/extensions/basic_auth.h"
#include "pipeline/extensions/bearer_token_auth.h"
#include "pipeline/extensions/file_storage.h"
#include "pipeline/extensions/headers_setter.h"
#include "pipeline/extensions/health_check.h"
#include "pipeline/extensions/pprof.h"
#include "pipeline/extensions/zpages.h"
#include "pipeline/processors/attributes.h"
#include "pipeline/processors/batch.h"
#include "pipeline/processors/filter.h"
#include "pipeline/processors/groupbytrace.h"
#include "pipeline/processors/k8s_attributes.h"
#include "pipeline/processors/memory_limiter.h"
#include "pipeline/processors/probabilistic_sampler.h"
#include "pipeline/processors/redaction.h"
#include "pipeline/processors/resource.h"
#include "pipeline/processors/span.h"
#include "pipeline/processors/tail_sampling.h"
#include "pipeline/processors/transform.h"
#include "pipeline/receivers/otlp.h"

namespace spanloom::app {

void RegisterCollectorComponents(pipeline::Registry& registry, pipeline::SenderTable* senders,
                                 findings::FindingsSource* findings) {
  pipeline::RegisterOtlpReceiver(registry, senders);

  pipeline::RegisterAttributesProcessor(registry);
  pipeline::RegisterBatchProcessor(registry);
  pipeline::RegisterFilterProcessor(registry);
  pipeline::RegisterGroupByTraceProcessor(registry);
  pipeline::RegisterK8sAttributesProcessor(registry);
  pipeline::RegisterMemoryLimiterProcessor(registry);
  pipeline::RegisterProbabilisticSampler(registry);
  pipeline::RegisterRedactionProcessor(registry);
  pipeline::RegisterResourceProcessor(registry);
  pipeline::RegisterSpanProcessor(registry);
  pipeline::RegisterTailSamplingProcessor(registry);
  pipeline::RegisterTransformProcessor(registry);

  pipeline::RegisterForwardConnector(registry);
  pipeline::RegisterRoutingConnector(registry);
  pipeline::RegisterServiceGraphConnector(registry);
  pipeline::RegisterSpanMetricsConnector(registry);

  pipeline::RegisterDebugExporter(registry);
  pipeline::RegisterFileExporter(registry);
  pipeline::RegisterLoadBalancingExporter(registry);
  pipeline::RegisterNopExporter(registry);
  pipeline::RegisterOtlpGrpcExporter(registry);
  pipeline::RegisterOtlpHttpExporter(registry);
  pipeline::RegisterPrometheusExporter(registry);

  pipeline::RegisterBasicAuthExtension(registry);
  pipeline::RegisterBearerTokenAuthExtension(registry);
  pipeline::RegisterFileStorageExtension(registry);
  pipeline::RegisterHeadersSetterExtension(registry);
  pipeline::RegisterHealthCheckExtension(registry);
  pipeline::RegisterPprofExtension(registry);
  pipeline::RegisterZPagesExtension(registry, findings);
}

void RegisterStoreComponents(pipeline::Registry& registry, pipeline::StoreSource store,
                             const query::InsightSources& insight) {
  pipeline::RegisterSpanloomStoreExporter(registry, store);
  RegisterQueryExtension(registry, store, insight);
}

}  // namespace spanloom::app
