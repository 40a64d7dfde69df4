{{/* SPDX-License-Identifier: Apache-2.0 */}}
{{/*
The environment of containers: each template gives the whole list, what the container has already included, so that no name stands
there twice. A list that comes out empty is an empty text.
*/}}

{{/* Takes (dict "root" $ "role" "decode"|"prefill" "env" LIST). */}}
{{- define "llm-d-tracing.vllmEnv" -}}
{{- $settings := include "llm-d-tracing.settings" .root | fromYaml -}}
{{- $service := ternary $settings.serviceNames.vllmPrefill $settings.serviceNames.vllmDecode (eq .role "prefill") -}}
{{- include "llm-d-tracing.containerEnv" (dict "settings" $settings "service" $service "env" .env) -}}
{{- end }}

{{/* Takes (dict "root" $ "env" LIST). */}}
{{- define "llm-d-tracing.routingProxyEnv" -}}
{{- $settings := include "llm-d-tracing.settings" .root | fromYaml -}}
{{- include "llm-d-tracing.containerEnv" (dict "settings" $settings "service" $settings.serviceNames.routingProxy "env" .env) -}}
{{- end }}

{{/* ModelService's rule: the container's own variables first, tracing's last, and tracing's win, unless keepEnv is true. */}}
{{- define "llm-d-tracing.containerEnv" -}}
{{- $own := default list .env -}}
{{- if .settings.enabled -}}
{{- $ours := list
    (dict "name" "OTEL_SERVICE_NAME" "value" .service)
    (dict "name" "OTEL_EXPORTER_OTLP_ENDPOINT" "value" .settings.otlpEndpoint)
    (dict "name" "OTEL_TRACES_EXPORTER" "value" "otlp")
    (dict "name" "OTEL_TRACES_SAMPLER" "value" .settings.sampling.sampler)
    (dict "name" "OTEL_TRACES_SAMPLER_ARG" "value" (toString .settings.sampling.samplerArg))
-}}
{{- if .settings.keepEnv -}}
{{- $ours = include "llm-d-tracing.without" (dict "list" $ours "names" $own) | fromYamlArray -}}
{{- end -}}
{{- if .settings.podIdentity -}}
{{- $ours = concat $ours (include "llm-d-tracing.identity" $own | fromYamlArray) -}}
{{- end -}}
{{- $own = concat (include "llm-d-tracing.without" (dict "list" $own "names" $ours) | fromYamlArray) $ours -}}
{{- end -}}
{{- if $own -}}{{- toYaml $own -}}{{- end -}}
{{- end }}

{{/* Takes (dict "root" $ "tracing" MAP "service" NAME "env" LIST). The scheduler's rule: the container's own variables last, and they win. It needs NAMESPACE before. */}}
{{- define "llm-d-tracing.eppEnv" -}}
{{- $settings := include "llm-d-tracing.eppSettings" . | fromYaml -}}
{{- $own := default list .env -}}
{{- if $settings.enabled -}}
{{- $node := dict "fieldRef" (dict "apiVersion" "v1" "fieldPath" "spec.nodeName") -}}
{{- $pod := dict "fieldRef" (dict "apiVersion" "v1" "fieldPath" "metadata.name") -}}
{{- $ours := list
    (dict "name" "OTEL_SERVICE_NAME" "value" $settings.serviceName)
    (dict "name" "OTEL_EXPORTER_OTLP_ENDPOINT" "value" $settings.otelExporterEndpoint)
    (dict "name" "OTEL_TRACES_EXPORTER" "value" "otlp")
    (dict "name" "OTEL_RESOURCE_ATTRIBUTES_NODE_NAME" "valueFrom" $node)
    (dict "name" "OTEL_RESOURCE_ATTRIBUTES_POD_NAME" "valueFrom" $pod)
    (dict "name" "OTEL_RESOURCE_ATTRIBUTES" "value" "k8s.namespace.name=$(NAMESPACE),k8s.node.name=$(OTEL_RESOURCE_ATTRIBUTES_NODE_NAME),k8s.pod.name=$(OTEL_RESOURCE_ATTRIBUTES_POD_NAME)")
    (dict "name" "OTEL_TRACES_SAMPLER" "value" $settings.sampling.sampler)
    (dict "name" "OTEL_TRACES_SAMPLER_ARG" "value" (toString $settings.sampling.samplerArg))
-}}
{{- $own = concat (include "llm-d-tracing.without" (dict "list" $ours "names" $own) | fromYamlArray) $own -}}
{{- end -}}
{{- if $own -}}{{- toYaml $own -}}{{- end -}}
{{- end }}

{{/* Pod and namespace as resource attributes, behind what the container has there already. Takes its own list. */}}
{{- define "llm-d-tracing.identity" -}}
{{- $attributes := "k8s.namespace.name=$(OTEL_RESOURCE_ATTRIBUTES_NAMESPACE_NAME),k8s.pod.name=$(OTEL_RESOURCE_ATTRIBUTES_POD_NAME)" -}}
{{- range . -}}
{{- if eq .name "OTEL_RESOURCE_ATTRIBUTES" -}}
{{- if .valueFrom -}}
{{- fail "tracing.podIdentity is true, and OTEL_RESOURCE_ATTRIBUTES of a container comes by valueFrom, so that nothing can be added to it: write its value, or take podIdentity off" -}}
{{- end -}}
{{- if not (contains "OTEL_RESOURCE_ATTRIBUTES_POD_NAME" (default "" .value)) -}}
{{- $attributes = join "," (without (list (default "" .value) $attributes) "") -}}
{{- else -}}
{{- $attributes = .value -}}
{{- end -}}
{{- end -}}
{{- end -}}
- name: OTEL_RESOURCE_ATTRIBUTES_NAMESPACE_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
- name: OTEL_RESOURCE_ATTRIBUTES_POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: OTEL_RESOURCE_ATTRIBUTES
  value: {{ $attributes | quote }}
{{- end }}

{{/* Takes (dict "list" LIST "names" LIST): the first without what the second has by name. */}}
{{- define "llm-d-tracing.without" -}}
{{- $names := list -}}
{{- range .names }}{{- $names = append $names .name -}}{{- end -}}
{{- $kept := list -}}
{{- range .list }}{{- if not (has .name $names) -}}{{- $kept = append $kept . -}}{{- end -}}{{- end -}}
{{- toYaml $kept -}}
{{- end }}
