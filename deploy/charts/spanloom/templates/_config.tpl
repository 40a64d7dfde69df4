{{/* SPDX-License-Identifier: Apache-2.0 */}}
{{/* The configurations of both processes, before `config` and `collector.config` are merged over them. */}}

{{- define "spanloom.serverTls" -}}
{{- if .Values.tls.enabled -}}
tls:
  cert_file: /etc/spanloom/tls/tls.crt
  key_file: /etc/spanloom/tls/tls.key
  reload_interval: {{ .Values.tls.reloadInterval }}
{{- if .Values.tls.clientCa }}
  client_ca_file: /etc/spanloom/tls/ca.crt
  client_ca_file_reload: true
{{- end }}
{{- end -}}
{{- end }}

{{- define "spanloom.receivers" -}}
otlp:
  protocols:
    grpc:
      endpoint: "{{ .Values.listen }}:4317"
      keepalive:  # clients in Go and Python ping; without this they are cut off
        enforcement_policy: {min_time: 10s, permit_without_stream: true}
      {{- include "spanloom.serverTls" . | nindent 6 }}
    http:
      endpoint: "{{ .Values.listen }}:4318"
      {{- include "spanloom.serverTls" . | nindent 6 }}
{{- end }}

{{- define "spanloom.memoryLimiter" -}}
memory_limiter: {check_interval: 1s, limit_percentage: 85, spike_limit_percentage: 15}
{{- end }}

{{/* The processors of the pipeline that takes spans from outside. */}}
{{- define "spanloom.frontProcessors" -}}
{{ include "spanloom.memoryLimiter" . }}
{{- if .Values.podIdentity }}
k8s_attributes:
  auth_type: serviceAccount
  filter: {namespace: {{ .Release.Namespace }}}
  extract: {metadata: [k8s.namespace.name, k8s.pod.name, k8s.pod.uid, k8s.node.name]}
  pod_association:
    - sources: [{from: resource_attribute, name: k8s.pod.uid}]
    - sources: [{from: resource_attribute, name: k8s.pod.ip}]
    - sources: [{from: connection}]
{{- end }}
filter/scrapes:
  error_mode: ignore
  traces:
    span:
      - kind == SPAN_KIND_SERVER and (attributes["url.path"] == "/metrics" or attributes["http.route"] == "/metrics" or attributes["http.target"] == "/metrics")
      - kind == SPAN_KIND_CLIENT and name == "HTTP GET" and IsMatch(attributes["url.full"], "^https?://[^/]*/metrics([?].*)?$")
{{- end }}

{{- define "spanloom.frontProcessorIds" -}}
[memory_limiter, {{ if .Values.podIdentity }}k8s_attributes, {{ end }}filter/scrapes]
{{- end }}

{{- define "spanloom.telemetry" -}}
metrics:
  readers:
    - pull: {exporter: {prometheus: {host: {{ .Values.listen | trimPrefix "[" | trimSuffix "]" | quote }}, port: 8888}}}
{{- end }}

{{/* Exporters of `backends`. Takes (dict "root" $ "queue" true|false): whether their queues are kept on the volume. */}}
{{- define "spanloom.backendExporters" -}}
{{- $queue := .queue -}}
{{- range $name, $backend := .root.Values.backends }}
{{- $base := dict "endpoint" $backend.endpoint "sending_queue" (dict "batch" (dict "flush_timeout" "1s" "min_size" 1024)) -}}
{{- if $queue }}{{ $_ := set $base.sending_queue "storage" "file_storage" }}{{ end -}}
{{- if $backend.insecure }}{{ $_ := set $base "tls" (dict "insecure" true) }}{{ end -}}
{{- with $backend.headers }}{{ $_ := set $base "headers" . }}{{ end }}
otlp_{{ default "grpc" $backend.protocol }}/{{ $name }}:
  {{- mustMergeOverwrite $base (deepCopy (default dict $backend.options)) | toYaml | nindent 2 }}
{{- end }}
{{- end }}

{{- define "spanloom.backendIds" -}}
{{- range $name, $backend := .Values.backends }}, otlp_{{ default "grpc" $backend.protocol }}/{{ $name }}{{ end -}}
{{- end }}

{{/* MiB that the store may take: what is set, or four fifths of the volume. */}}
{{- define "spanloom.retentionMib" -}}
{{- if .Values.storage.retention.mibMax -}}
{{ int64 .Values.storage.retention.mibMax }}
{{- else -}}
{{- $size := .Values.storage.persistentVolume.size -}}
{{- $unit := get (dict "Mi" 1 "Gi" 1024 "Ti" 1048576) (regexFind "[MGT]i$" $size) -}}
{{ div (mul (int64 (regexFind "^[0-9]+" $size)) $unit 4) 5 }}
{{- end -}}
{{- end }}

{{- define "spanloom.storeConfig" -}}
{{- $durable := eq .Values.storage.kind "persistentVolume" -}}
{{- $front := eq (include "spanloom.front" .) "store" -}}
{{- $queues := and $durable $front .Values.backends -}}
receivers:
  {{- include "spanloom.receivers" . | nindent 2 }}
processors:
  {{- if $front }}
  {{- include "spanloom.frontProcessors" . | nindent 2 }}
  {{- else }}
  {{- include "spanloom.memoryLimiter" . | nindent 2 }}
  {{- end }}
exporters:
  spanloom_store:
    {{- if $durable }}
    data_dir: /var/lib/spanloom/store
    {{- else }}
    limit_mib: {{ int64 .Values.storage.memory.limitMib }}
    traces_max: {{ int64 .Values.storage.memory.tracesMax }}
    {{- end }}
    {{- if or $durable .Values.storage.retention.ageMax }}
    retention:
      {{- if $durable }}
      mib_max: {{ include "spanloom.retentionMib" . }}
      {{- end }}
      {{- with .Values.storage.retention.ageMax }}
      age_max: {{ . }}
      {{- end }}
    {{- end }}
  {{- if $front }}
  {{- include "spanloom.backendExporters" (dict "root" . "queue" $queues) | nindent 2 }}
  {{- end }}
extensions:
  health_check: {endpoint: "{{ .Values.listen }}:13133"}
  spanloom_query: {endpoint: "{{ .Values.listen }}:16686"}
  {{- if $queues }}
  file_storage: {directory: /var/lib/spanloom/queue, create_directory: true}
  {{- end }}
service:
  telemetry:
    {{- include "spanloom.telemetry" . | nindent 4 }}
  extensions: [health_check, spanloom_query{{ if $queues }}, file_storage{{ end }}]
  pipelines:
    traces:
      receivers: [otlp]
      processors: {{ if $front }}{{ include "spanloom.frontProcessorIds" . }}{{ else }}[memory_limiter]{{ end }}
      exporters: [spanloom_store{{ if $front }}{{ include "spanloom.backendIds" . }}{{ end }}]
{{- end }}

{{- define "spanloom.collectorConfig" -}}
receivers:
  {{- include "spanloom.receivers" . | nindent 2 }}
processors:
  {{- include "spanloom.frontProcessors" . | nindent 2 }}
exporters:
  otlp_grpc/store:
    endpoint: {{ .Values.services.backend }}:4317
    {{- if .Values.tls.enabled }}
    tls:
      ca_file: /etc/spanloom/tls/ca.crt
      reload_interval: {{ .Values.tls.reloadInterval }}
      {{- if .Values.tls.clientCa }}
      cert_file: /etc/spanloom/tls/tls.crt
      key_file: /etc/spanloom/tls/tls.key
      {{- end }}
    {{- else }}
    tls: {insecure: true}
    {{- end }}
    sending_queue:
      batch: {flush_timeout: 1s, min_size: 1024}
  {{- include "spanloom.backendExporters" (dict "root" . "queue" false) | nindent 2 }}
extensions:
  health_check: {endpoint: "{{ .Values.listen }}:13133"}
service:
  telemetry:
    {{- include "spanloom.telemetry" . | nindent 4 }}
  extensions: [health_check]
  pipelines:
    traces:
      receivers: [otlp]
      processors: {{ include "spanloom.frontProcessorIds" . }}
      exporters: [otlp_grpc/store{{ include "spanloom.backendIds" . }}]
{{- end }}

{{/* Takes (dict "root" $ "component" "store"|"collector"): the whole file. */}}
{{- define "spanloom.config" -}}
{{- $own := .root.Values.config -}}
{{- if eq .component "collector" }}{{ $own = .root.Values.collector.config }}{{ end -}}
{{- $base := include (printf "spanloom.%sConfig" .component) .root | fromYaml -}}
{{- with $base.Error }}{{ fail (printf "the chart's own configuration does not parse: %s" .) }}{{ end -}}
{{- mustMergeOverwrite $base (deepCopy (default dict $own)) | toYaml -}}
{{- end }}
