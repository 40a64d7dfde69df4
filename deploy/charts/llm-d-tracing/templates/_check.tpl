{{/* SPDX-License-Identifier: Apache-2.0 */}}
{{/*
Refuses values that llm-d's charts take without a word and that give no traces, fewer, or none of what was meant. All that is wrong is
said at once, a line each: key, reason, what to write. Every template here asks first, so nobody has to remember it.
*/}}

{{- define "llm-d-tracing.check" -}}
{{- $problems := list -}}
{{- with .Values.tracing -}}
{{- $problems = append $problems (include "llm-d-tracing.problems" (dict "map" . "key" "tracing" "flavour" "modelService")) -}}
{{- end -}}
{{- range $parent := list "inferenceExtension" "router" -}}
{{- $parentMap := default dict (get $.Values $parent) -}}
{{- with $parentMap.tracing -}}
{{- $problems = append $problems (include "llm-d-tracing.problems" (dict "map" . "key" (printf "%s.tracing" $parent) "flavour" "epp")) -}}
{{- end -}}
{{- end -}}
{{- $problems = append $problems (include "llm-d-tracing.prefillProblem" .) -}}
{{- $text := without (splitList "\n" (join "\n" $problems)) "" -}}
{{- if $text -}}
{{- fail (printf "these values would not give the traces that they look like:\n- %s" (join "\n- " $text)) -}}
{{- end -}}
{{- end }}

{{/* Lines of problems of one tracing map. */}}
{{- define "llm-d-tracing.problems" -}}
{{- if not (kindIs "map" .map) -}}
{{ .key }} is {{ toJson .map }}: it must be a map, such as {enabled: true}
{{ else -}}
{{- include "llm-d-tracing.keyProblems" . }}
{{- if not (or (kindIs "bool" .map.enabled) (kindIs "invalid" .map.enabled)) -}}
{{ .key }}.enabled is {{ toJson .map.enabled }}: every text counts as true, "false" too; write true or false without quotes
{{ end -}}
{{- if eq .flavour "modelService" -}}
{{- include "llm-d-tracing.endpointProblem" (dict "map" .map "key" .key "name" "otlpEndpoint") -}}
{{- include "llm-d-tracing.vllmProblem" . -}}
{{- include "llm-d-tracing.nameProblems" . -}}
{{- else -}}
{{- include "llm-d-tracing.endpointProblem" (dict "map" .map "key" .key "name" "otelExporterEndpoint") -}}
{{- end -}}
{{- include "llm-d-tracing.samplingProblems" . -}}
{{- end -}}
{{- end }}

{{- define "llm-d-tracing.keyProblems" -}}
{{- $known := dict "" (list "enabled" "otelExporterEndpoint" "sampling" "serviceName") "sampling" (list "sampler" "samplerArg") -}}
{{- $hints := dict "otlpEndpoint" "the endpoint is called otelExporterEndpoint here; otlpEndpoint is ModelService's" -}}
{{- if eq .flavour "modelService" -}}
{{- $_ := set $known "" (list "enabled" "keepEnv" "otlpEndpoint" "podIdentity" "prefillScaledElsewhere" "routingProxy" "sampling" "serviceNames" "vllm") -}}
{{- $_ := set $known "serviceNames" (list "routingProxy" "vllmDecode" "vllmPrefill") -}}
{{- $_ := set $known "vllm" (list "collectDetailedTraces" "customCommand") -}}
{{- $_ := set $known "routingProxy" (list "tracingFlag") -}}
{{- $hints = dict "otelExporterEndpoint" "the endpoint is called otlpEndpoint here; otelExporterEndpoint is the scheduler's" -}}
{{- end -}}
{{- $map := .map -}}
{{- $path := .key -}}
{{- range $section, $keys := $known -}}
{{- $here := ternary $path (printf "%s.%s" $path $section) (eq $section "") -}}
{{- $value := ternary $map (get $map $section) (eq $section "") -}}
{{- if not (or (kindIs "map" $value) (kindIs "invalid" $value) (kindIs "string" $value)) -}}
{{ $here }} is {{ toJson $value }}: it must be a map
{{ else if and (kindIs "string" $value) $value -}}
{{ $here }} is {{ toJson $value }}: it must be a map
{{ else if kindIs "map" $value -}}
{{- range $key := keys $value | sortAlpha -}}
{{- if not (has $key $keys) -}}
{{ $here }}.{{ $key }} is no key, and would have no effect: {{ default (printf "the keys are %s" (join ", " $keys)) (get $hints $key) }}
{{ end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "llm-d-tracing.endpointProblem" -}}
{{- if and .map.enabled (hasKey .map .name) (not (kindIs "invalid" (get .map .name))) -}}
{{- $value := get .map .name | toString -}}
{{- if not $value -}}
{{ .key }}.{{ .name }} is empty: spans would be sent nowhere; write http://otel-collector:4317, or leave the key out
{{ else if not (regexMatch "^https?://[A-Za-z0-9._:/\\[\\]-]+$" $value) -}}
{{ .key }}.{{ .name }} is {{ toJson $value }}: it must be a URL with http:// or https:// in front, without spaces, quotes and variables, such as http://otel-collector:4317
{{ end -}}
{{- end -}}
{{- end }}

{{- define "llm-d-tracing.vllmProblem" -}}
{{- $vllm := ternary .map.vllm dict (kindIs "map" .map.vllm) -}}
{{- if hasKey $vllm "collectDetailedTraces" -}}
{{- $level := $vllm.collectDetailedTraces | toString -}}
{{- if and (not (kindIs "invalid" $vllm.collectDetailedTraces)) (not (regexMatch "^(all|model|worker)(,(all|model|worker))*$" $level)) -}}
{{ .key }}.vllm.collectDetailedTraces is {{ toJson $level }}: vLLM knows all, model and worker, and does not start with anything else{{ if eq $level "scheduler" }}; the guide's "scheduler" never existed{{ end }}
{{ end -}}
{{- end -}}
{{- if not (has (default "inject" $vllm.customCommand) (list "inject" "leave")) -}}
{{ .key }}.vllm.customCommand is {{ toJson $vllm.customCommand }}: it must be inject or leave
{{ end -}}
{{- end }}

{{- define "llm-d-tracing.nameProblems" -}}
{{- $path := .key -}}
{{- if kindIs "map" .map.serviceNames -}}
{{- range $name, $value := .map.serviceNames -}}
{{- if and (kindIs "string" $value) (not $value) -}}
{{ $path }}.serviceNames.{{ $name }} is empty: its spans would be those of unknown_service; write a name, or leave the key out
{{ end -}}
{{- end -}}
{{- end -}}
{{- range $switch := list "podIdentity" "keepEnv" "prefillScaledElsewhere" -}}
{{- $value := get $.map $switch -}}
{{- if and (hasKey $.map $switch) (not (kindIs "bool" $value)) (not (kindIs "invalid" $value)) -}}
{{ $path }}.{{ $switch }} is {{ toJson $value }}: every text counts as true, "false" too; write true or false without quotes
{{ end -}}
{{- end -}}
{{- end }}

{{- define "llm-d-tracing.samplingProblems" -}}
{{- $sampling := ternary .map.sampling dict (kindIs "map" .map.sampling) -}}
{{- $samplers := list "parentbased_traceidratio" -}}
{{- $why := "the scheduler knows parentbased_traceidratio alone, and turns everything else into 10 %; for all traces write samplerArg: \"1.0\", for none enabled: false" -}}
{{- if eq .flavour "modelService" -}}
{{- $samplers = list "always_off" "always_on" "parentbased_always_off" "parentbased_always_on" "parentbased_traceidratio" "traceidratio" -}}
{{- $why = printf "there is no such sampler; there are %s, of which the routing proxy knows the last but one alone" (join ", " $samplers) -}}
{{- end -}}
{{- if and (not (kindIs "invalid" $sampling.sampler)) (not (has $sampling.sampler $samplers)) -}}
{{ .key }}.sampling.sampler is {{ toJson $sampling.sampler }}: {{ $why }}
{{ end -}}
{{- if not (kindIs "invalid" $sampling.samplerArg) -}}
{{- $ratio := $sampling.samplerArg | toString -}}
{{- if not (regexMatch "^(0(\\.[0-9]*)?|1(\\.0*)?|\\.[0-9]+|[0-9.]+e-[0-9]+)$" $ratio) -}}
{{ .key }}.sampling.samplerArg is {{ toJson $sampling.samplerArg }}: it must be a share of the traces from "0" to "1.0"
{{ end -}}
{{- end -}}
{{- end }}

{{/* Prefill that is asked for and has no pods: the real chart's default is 0 replicas. */}}
{{- define "llm-d-tracing.prefillProblem" -}}
{{- $tracing := ternary .Values.tracing dict (kindIs "map" .Values.tracing) -}}
{{- $prefill := default dict .Values.prefill -}}
{{- $decode := default dict .Values.decode -}}
{{- $proxy := default dict (default dict .Values.routing).proxy -}}
{{- if and $tracing.enabled $prefill (not $tracing.prefillScaledElsewhere) -}}
{{- if and (ne (toString $prefill.create) "false") (ne (toString $decode.create) "false") (ne (toString $proxy.enabled) "false") -}}
{{- if eq (int (default 0 $prefill.replicas)) 0 -}}
prefill.replicas is 0, which is also the default: there would be no prefill pod, so no span of vllm-prefill; set it to 1 or more, or prefill.create: false, or tracing.prefillScaledElsewhere: true if something else scales it
{{ end -}}
{{- end -}}
{{- end -}}
{{- end }}
