{{/* SPDX-License-Identifier: Apache-2.0 */}}
{{/* The arguments of containers: each template gives the whole list of what it was given, with what tracing needs. */}}

{{/*
Takes (dict "root" $ "modelCommand" TEXT "command" LIST "args" LIST "name" CONTAINER).

vllmServe and imageDefault: the four arguments, then `args`, so that what the user wrote wins. Put this right after --served-model-name.

custom, or nothing: if the container runs vLLM they are put behind `args`, or in a script of a shell behind `vllm serve` and the model. Where that cannot
be told, it fails and says so; a container that does not run vLLM keeps its arguments. `tracing.vllm.customCommand: leave` keeps all as it is.
*/}}
{{- define "llm-d-tracing.vllmArgs" -}}
{{- $settings := include "llm-d-tracing.settings" .root | fromYaml -}}
{{- $args := default list .args -}}
{{- $all := concat (default list .command) $args -}}
{{- $ours := list "--otlp-traces-endpoint" $settings.otlpEndpoint "--collect-detailed-traces" $settings.vllm.collectDetailedTraces -}}
{{- if not $settings.enabled -}}
{{- else if has .modelCommand (list "vllmServe" "imageDefault") -}}
{{- $args = concat $ours $args -}}
{{- else if or (eq $settings.vllm.customCommand "leave") (contains "--otlp-traces-endpoint" (join " " $all)) -}}
{{- else if regexMatch "^(.*/)?(ba|da|a|z)?sh$" (default "" (first (default (list "") $all)) | toString) -}}
{{- $args = include "llm-d-tracing.scriptArgs" (dict "command" (default list .command) "args" $args "ours" $ours "name" .name) | fromYamlArray -}}
{{- else if or (regexMatch "(^|/)vllm serve( |$)" (join " " $all)) (has "vllm.entrypoints.openai.api_server" $all) -}}
{{- $args = concat $args $ours -}}
{{- end -}}
{{- if $args -}}{{- toYaml $args -}}{{- end -}}
{{- end }}

{{/* Arguments of a shell, one of which is a script: behind the call of vLLM and its model, which vLLM looks for right behind serve, and in front of all else, so that
line continuations and quotes do no harm. */}}
{{- define "llm-d-tracing.scriptArgs" -}}
{{- $gap := `(?:[ \t]+|[ \t]*\\\n[ \t]*)` -}}
{{- $model := `(?:"[^-"\n\\][^"\n\\]*"|'[^-'\n\\][^'\n\\]*'|\$\w+|\$\{\w+\}|[\w./:@~+][\w./:@~+=,-]*)` -}}
{{- $call := printf `(?m)^([^#\n]*?(?:\bvllm[ \t]+serve(?:%s%s)?|-m[ \t]+vllm\.entrypoints\.openai\.api_server))([\s;&|<>)]|$)` $gap $model -}}
{{- $advice := "write --otlp-traces-endpoint and --collect-detailed-traces into the script yourself, or set tracing.vllm.customCommand: leave" -}}
{{- if regexMatch $call (join "\n" .command) -}}
{{- fail (printf "the script of container %s stands in its command, where nothing can be added: move it to args, or %s" (toString .name) $advice) -}}
{{- end -}}
{{- $found := len (regexFindAll $call (join "\n" .args) -1) -}}
{{- if gt $found 1 -}}
{{- fail (printf "the script of container %s calls vLLM in %d places: %s" (toString .name) $found $advice) -}}
{{- end -}}
{{- $result := list -}}
{{- range .args -}}
{{- $result = append $result (regexReplaceAll $call (toString .) (printf "${1} %s${2}" (join " " $.ours))) -}}
{{- end -}}
{{- toYaml $result -}}
{{- end }}

{{/* Takes (dict "root" $ "args" LIST): with tracing.routingProxy.tracingFlag, --tracing=true, which sidecars from llm-d-router 0.7 on need. */}}
{{- define "llm-d-tracing.routingProxyArgs" -}}
{{- $settings := include "llm-d-tracing.settings" .root | fromYaml -}}
{{- $args := default list .args -}}
{{- if and $settings.enabled $settings.routingProxy.tracingFlag -}}
{{- $args = append $args "--tracing=true" -}}
{{- end -}}
{{- if $args -}}{{- toYaml $args -}}{{- end -}}
{{- end }}

{{/* Takes (dict "root" $ "tracing" MAP "args" LIST): `args` and --tracing=true or false. */}}
{{- define "llm-d-tracing.eppArgs" -}}
{{- $settings := include "llm-d-tracing.eppSettings" . | fromYaml -}}
{{- toYaml (append (default list .args) (printf "--tracing=%t" $settings.enabled)) -}}
{{- end }}
