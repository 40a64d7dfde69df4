{{/* SPDX-License-Identifier: Apache-2.0 */}}
{{/*
The pod template of both workloads. Takes (dict "root" $ "component" "store"|"collector" "name" NAME "args" LIST "resources" MAP).
It fulfils the restricted pod security standard, with a root file system that is read only.
*/}}

{{- define "spanloom.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "spanloom.podSecurity" -}}
runAsNonRoot: true
{{- with .Values.runAsUser }}
runAsUser: {{ int64 . }}
runAsGroup: {{ int64 . }}
{{- end }}
{{- with .Values.fsGroup }}
fsGroup: {{ int64 . }}
fsGroupChangePolicy: OnRootMismatch
{{- end }}
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "spanloom.probes" -}}
startupProbe:  # a store reads its log first; five minutes
  httpGet: {path: /, port: health}
  periodSeconds: 2
  failureThreshold: 150
livenessProbe:
  httpGet: {path: /, port: health}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /, port: health}
  periodSeconds: 5
  timeoutSeconds: 3
{{- end }}

{{- define "spanloom.pod" -}}
{{- $root := .root -}}
{{- $v := $root.Values -}}
{{- $durable := and (eq .component "store") (eq $v.storage.kind "persistentVolume") -}}
{{- $identity := and $v.podIdentity (eq .component (include "spanloom.front" $root)) -}}
metadata:
  labels:
    {{- include "spanloom.labels" (dict "root" $root "component" .component) | nindent 4 }}
    {{- with $v.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    checksum/config: {{ include "spanloom.config" (dict "root" $root "component" .component) | sha256sum }}
    {{- with $v.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "spanloom.fullname" $root }}
  automountServiceAccountToken: {{ $identity }}
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ int64 $v.terminationGracePeriodSeconds }}
  securityContext:
    {{- include "spanloom.podSecurity" $root | nindent 4 }}
  {{- with $v.image.pullSecrets }}
  imagePullSecrets:
    {{- range . }}
    - name: {{ . }}
    {{- end }}
  {{- end }}
  {{- with $v.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with $v.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $v.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $v.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: {{ .component }}
      image: {{ include "spanloom.image" $root }}
      imagePullPolicy: {{ $v.image.pullPolicy }}
      command: [spanloom]
      args:
        {{- toYaml .args | nindent 8 }}
      {{- if or $durable $v.extraEnv }}
      env:
        {{- if $durable }}
        - {name: TMPDIR, value: /var/lib/spanloom}  # where `spanloom store` in the pod may write
        {{- end }}
        {{- with $v.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- end }}
      ports:
        - {name: otlp-grpc, containerPort: 4317}
        - {name: otlp-http, containerPort: 4318}
        {{- if eq .component "store" }}
        - {name: ui, containerPort: 16686}
        {{- end }}
        - {name: metrics, containerPort: 8888}
        - {name: health, containerPort: 13133}
      {{- include "spanloom.probes" $root | nindent 6 }}
      resources:
        {{- toYaml .resources | nindent 8 }}
      securityContext:
        {{- include "spanloom.containerSecurity" $root | nindent 8 }}
      volumeMounts:
        - {name: config, mountPath: /etc/spanloom/config, readOnly: true}
        {{- if $v.tls.enabled }}
        - {name: tls, mountPath: /etc/spanloom/tls, readOnly: true}
        {{- end }}
        {{- if $durable }}
        - {name: data, mountPath: /var/lib/spanloom}
        {{- end }}
  volumes:
    - name: config
      configMap: {name: {{ .name }}}
    {{- if $v.tls.enabled }}
    - name: tls
      secret: {secretName: {{ $v.tls.secretName }}, defaultMode: 0440}
    {{- end }}
{{- end }}
