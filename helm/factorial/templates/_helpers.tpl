{{/* Names and labels. `.` is the root, unless a template takes a dict with `root` and `role`. */}}

{{- define "factorial.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "factorial.fullname" -}}
{{- $name := include "factorial.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "factorial.selector" -}}
app.kubernetes.io/name: {{ include "factorial.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end }}

{{- define "factorial.labels" -}}
{{ include "factorial.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/part-of: factorial
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "factorial.image" -}}
{{- with .Values.image }}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ default $.Chart.AppVersion .tag }}{{ end }}
{{- end }}
{{- end }}

{{- define "factorial.serviceAccount" -}}
{{- if .Values.serviceAccount.name }}{{ .Values.serviceAccount.name }}
{{- else if .Values.serviceAccount.create }}{{ include "factorial.fullname" . }}
{{- else }}default{{ end }}
{{- end }}

{{/* What is chosen. Each is "true" or "". */}}

{{- define "factorial.redis.internal" -}}
{{- $redis := .Values.redis }}
{{- if and $redis.internal.enabled (not $redis.url) (not $redis.existingSecret.name) }}true{{ end }}
{{- end }}

{{- define "factorial.simulated" -}}
{{- $chosen := .Values.simulatedModel.enabled }}
{{- if kindIs "bool" $chosen }}{{ if $chosen }}true{{ end }}
{{- else if not (or .Values.providers.existingSecret .Values.providers.env) }}true{{ end }}
{{- end }}

{{/* Whether something else than `replicas` says how many there are: takes a dict with `root` and `role`. */}}
{{- define "factorial.autoscaled" -}}
{{- if eq .role "worker" }}
{{- $by := .root.Values.worker.autoscaling }}{{ if or $by.keda.enabled $by.hpa.enabled }}true{{ end }}
{{- else if eq .role "gateway" }}{{ if .root.Values.gateway.autoscaling.enabled }}true{{ end }}
{{- end }}
{{- end }}

{{- define "factorial.adminKey.secret" -}}
{{- default (printf "%s-admin" (include "factorial.fullname" .)) .Values.auth.adminKey.existingSecret }}
{{- end }}

{{/* Drain. A turn that is open when a worker is told to end has as long as a turn may take, so it ends at a boundary and no attempt is burned. */}}

{{- define "factorial.worker.grace" -}}
{{- $worker := default dict .Values.config.worker }}
{{- if hasKey $worker "grace_period_seconds" }}{{ $worker.grace_period_seconds | float64 | ceil }}
{{- else }}
{{- $longest := default 120 $worker.turn_timeout | float64 }}
{{- range $worker.runners }}{{ $longest = maxf $longest (default 0 .turn_timeout | float64) }}{{ end }}
{{- range .Values.agents }}{{ $longest = maxf $longest (default 0 (default dict (fromYaml .).worker).turn_timeout_seconds | float64) }}{{ end }}
{{- /* A worker takes no more than an hour. */}}
{{- minf 3600 $longest | ceil }}
{{- end }}
{{- end }}

{{- define "factorial.gateway.grace" -}}
{{- default 10 (default dict .Values.config.gateway).grace_period_seconds | float64 | ceil }}
{{- end }}

{{/* Seconds until Kubernetes kills: pre-stop, what the role gives open work, 10 s to hand back or close the rest, and a margin. */}}
{{- define "factorial.terminationGrace" -}}
{{- $values := .root.Values }}
{{- if eq .role "worker" }}{{ add (include "factorial.worker.grace" .root | int) 10 5 }}
{{- else if eq .role "gateway" }}{{ add $values.gateway.preStopSeconds (include "factorial.gateway.grace" .root | int) 5 }}
{{- else if eq .role "dashboard" }}{{ add $values.dashboard.preStopSeconds 10 }}
{{- else }}30{{ end }}
{{- end }}

{{/* Where the gateway is reached: by its Ingress, else inside the cluster. */}}
{{- define "factorial.publicUrl" -}}
{{- $gateway := .Values.gateway }}
{{- if $gateway.ingress.enabled }}http{{ if $gateway.ingress.tlsSecret }}s{{ end }}://{{ $gateway.ingress.host }}{{ $gateway.ingress.path | trimSuffix "/" }}
{{- else }}http://{{ include "factorial.fullname" . }}-gateway:{{ $gateway.service.port }}{{ end }}
{{- end }}

{{/* The name of the agent of the smoke test. */}}
{{- define "factorial.smokeAgent" -}}
{{- if .Values.smokeTest.agent }}{{ .Values.smokeTest.agent }}
{{- else if .Values.agents }}{{ (index .Values.agents (keys .Values.agents | sortAlpha | first) | fromYaml).name }}
{{- else }}assistant{{ end }}
{{- end }}

{{/* What cannot work is refused here, with what to do. */}}
{{- define "factorial.check" -}}
{{- $redis := .Values.redis }}
{{- if and (not $redis.internal.enabled) (not $redis.url) (not $redis.existingSecret.name) }}
{{- fail "redis: set redis.url or redis.existingSecret.name, or redis.internal.enabled=true for a trial" }}
{{- end }}
{{- if and .Values.worker.autoscaling.keda.enabled .Values.worker.autoscaling.hpa.enabled }}
{{- fail "worker.autoscaling: enable keda or hpa, not both; they would undo each other's decisions" }}
{{- end }}
{{- if and .Values.existingAgentsConfigMap .Values.agents }}
{{- fail "agents: set agents or existingAgentsConfigMap, not both" }}
{{- end }}
{{- if and .Values.existingAgentsConfigMap (not .Values.smokeTest.agent) }}
{{- fail "smokeTest.agent: name an agent of existingAgentsConfigMap, for helm test" }}
{{- end }}
{{- range $role := list "gateway" "dashboard" }}
{{- $ingress := (index $.Values $role).ingress }}
{{- if and $ingress.enabled (not $ingress.host) }}
{{- fail (printf "%s.ingress.host: an Ingress without a host would take every host of the cluster" $role) }}
{{- end }}
{{- end }}
{{- end }}

{{/* Pods of this release: takes a dict with `root` and `role`, "" for all. */}}
{{- define "factorial.pods" }}
podSelector:
  matchLabels:
    app.kubernetes.io/name: {{ include "factorial.name" .root }}
    app.kubernetes.io/instance: {{ .root.Release.Name }}
    {{- with .role }}
    app.kubernetes.io/component: {{ . }}
    {{- end }}
{{- end }}

{{/* The agent files, by file name. */}}
{{- define "factorial.agents" -}}
{{- if .Values.agents }}
{{- toYaml .Values.agents }}
{{- else }}
{{- (.Files.Glob "files/agents/*.yaml").AsConfig }}
{{- end }}
{{- end }}
