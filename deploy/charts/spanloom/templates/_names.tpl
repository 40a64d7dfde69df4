{{/* SPDX-License-Identifier: Apache-2.0 */}}
{{/* Names and labels. */}}

{{- define "spanloom.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{ .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" }}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "spanloom.collectorName" -}}
{{ include "spanloom.fullname" . }}-collector
{{- end }}

{{/* Takes (dict "root" $ "component" "store"|"collector"). What never changes in the life of a release. */}}
{{- define "spanloom.selector" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "spanloom.labels" -}}
{{ include "spanloom.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{/* Which component takes spans from outside. */}}
{{- define "spanloom.front" -}}
{{ ternary "collector" "store" (eq .Values.mode "split") }}
{{- end }}

{{- define "spanloom.image" -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end }}
