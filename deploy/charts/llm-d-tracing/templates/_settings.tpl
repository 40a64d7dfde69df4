{{/* SPDX-License-Identifier: Apache-2.0 */}}
{{/* `tracing` and the like with their defaults. Keys that are false by default are so because a merge cannot tell false from left out. */}}

{{/* Takes the root; gives YAML. The values have been checked. */}}
{{- define "llm-d-tracing.settings" -}}
{{- include "llm-d-tracing.check" . -}}
{{- $defaults := dict
    "enabled" false
    "otlpEndpoint" "http://otel-collector:4317"
    "sampling" (dict "sampler" "parentbased_traceidratio" "samplerArg" "1.0")
    "serviceNames" (dict "vllmDecode" "vllm-decode" "vllmPrefill" "vllm-prefill" "routingProxy" "routing-proxy")
    "vllm" (dict "collectDetailedTraces" "all" "customCommand" "inject")
    "routingProxy" (dict "tracingFlag" false)
    "podIdentity" false
    "keepEnv" false
-}}
{{- include "llm-d-tracing.over" (dict "below" $defaults "above" .Values.tracing) -}}
{{- end }}

{{/* The same for the scheduler. Takes (dict "root" $ "tracing" MAP "service" NAME); MAP is .Values.inferenceExtension.tracing or .Values.router.tracing. */}}
{{- define "llm-d-tracing.eppSettings" -}}
{{- include "llm-d-tracing.check" .root -}}
{{- $defaults := dict
    "enabled" false
    "otelExporterEndpoint" "http://otel-collector:4317"
    "serviceName" (default "gateway-api-inference-extension" .service)
    "sampling" (dict "sampler" "parentbased_traceidratio" "samplerArg" "1.0")
-}}
{{- include "llm-d-tracing.over" (dict "below" $defaults "above" .tracing) -}}
{{- end }}

{{/* One map over another, two levels deep; null and what is left out take the default. */}}
{{- define "llm-d-tracing.over" -}}
{{- $result := .below -}}
{{- range $key, $value := default dict .above -}}
{{- if kindIs "map" $value -}}
{{- range $inner, $innerValue := $value -}}
{{- if not (kindIs "invalid" $innerValue) -}}{{- $_ := set (get $result $key) $inner $innerValue -}}{{- end -}}
{{- end -}}
{{- else if not (kindIs "invalid" $value) -}}
{{- $_ := set $result $key $value -}}
{{- end -}}
{{- end -}}
{{- toYaml $result -}}
{{- end }}
