{{/* SPDX-License-Identifier: Apache-2.0 */}}
{{/* What a schema cannot say: values that are right alone and wrong together. Each message names the key, the reason and what to do. */}}

{{- define "spanloom.check" -}}
{{- $v := .Values -}}
{{- if and $v.tls.enabled (not $v.tls.secretName) -}}
{{- fail "tls.secretName is empty while tls.enabled is true: name a Secret with tls.crt, tls.key and ca.crt" -}}
{{- end -}}
{{- if and $v.tls.clientCa (not $v.tls.enabled) -}}
{{- fail "tls.clientCa is true while tls.enabled is false: nobody would be asked for a certificate; set tls.enabled: true, or tls.clientCa: false" -}}
{{- end -}}
{{- if and (eq $v.storage.kind "memory") $v.storage.retention.mibMax -}}
{{- fail (printf "storage.retention.mibMax is %d while storage.kind is memory, where it would have no effect: set storage.memory.limitMib, or storage.kind: persistentVolume" (int64 $v.storage.retention.mibMax)) -}}
{{- end -}}
{{- if lt (int $v.terminationGracePeriodSeconds) (add (int $v.drainTimeoutSeconds) 10 | int) -}}
{{- fail (printf "terminationGracePeriodSeconds is %d, and drainTimeoutSeconds %d: after the drain the store needs up to 10 s to write what is in memory; set terminationGracePeriodSeconds to %d or more" (int $v.terminationGracePeriodSeconds) (int $v.drainTimeoutSeconds) (add (int $v.drainTimeoutSeconds) 10)) -}}
{{- end -}}
{{- if eq $v.mode "allInOne" -}}
{{- if gt (int $v.collector.replicas) 1 -}}
{{- fail (printf "collector.replicas is %d while mode is allInOne, where there is one pod, since a store has one writer: set mode: split" (int $v.collector.replicas)) -}}
{{- end -}}
{{- if $v.collector.config -}}
{{- fail "collector.config is set while mode is allInOne, where it would have no effect: write it under config, or set mode: split" -}}
{{- end -}}
{{- end -}}
{{- if and $v.podDisruptionBudget.enabled (or (ne $v.mode "split") (lt (int $v.collector.replicas) 2)) -}}
{{- fail "podDisruptionBudget.enabled is true for a single pod: it would block every drain of its node, or protect nothing; set mode: split and collector.replicas: 2 or more" -}}
{{- end -}}
{{- end }}
