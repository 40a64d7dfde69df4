// SPDX-License-Identifier: Apache-2.0

#include "pipeline/testing/all_components.h"

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

namespace spanloom::pipeline {

Registry AllComponents(store::SpanStore& store) {
  Registry registry;
  RegisterOtlpReceiver(registry);
  RegisterAttributesProcessor(registry);
  RegisterBatchProcessor(registry);
  RegisterFilterProcessor(registry);
  RegisterGroupByTraceProcessor(registry);
  RegisterK8sAttributesProcessor(registry);
  RegisterMemoryLimiterProcessor(registry);
  RegisterProbabilisticSampler(registry);
  RegisterRedactionProcessor(registry);
  RegisterResourceProcessor(registry);
  RegisterSpanProcessor(registry);
  RegisterTailSamplingProcessor(registry);
  RegisterTransformProcessor(registry);
  RegisterForwardConnector(registry);
  RegisterRoutingConnector(registry);
  RegisterServiceGraphConnector(registry);
  RegisterSpanMetricsConnector(registry);
  RegisterDebugExporter(registry);
  RegisterFileExporter(registry);
  RegisterLoadBalancingExporter(registry);
  RegisterNopExporter(registry);
  RegisterOtlpGrpcExporter(registry);
  RegisterOtlpHttpExporter(registry);
  RegisterPrometheusExporter(registry);
  RegisterSpanloomStoreExporter(registry, [&store]() -> store::SpanStore& { return store; });
  RegisterBasicAuthExtension(registry);
  RegisterBearerTokenAuthExtension(registry);
  RegisterFileStorageExtension(registry);
  RegisterHeadersSetterExtension(registry);
  RegisterHealthCheckExtension(registry);
  RegisterPprofExtension(registry);
  RegisterZPagesExtension(registry);
  return registry;
}

}  // namespace spanloom::pipeline
