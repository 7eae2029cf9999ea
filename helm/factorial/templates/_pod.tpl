{{/* What all pods share. */}}

{{- define "factorial.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "factorial.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{/* Where Redis is: takes the root. */}}
{{- define "factorial.redis.env" -}}
{{- $redis := .Values.redis }}
{{- $fullname := include "factorial.fullname" . }}
{{- if include "factorial.redis.internal" . }}
- { name: REDIS_URL, value: "redis://{{ $fullname }}-redis:6379/0" }
- name: REDIS_PASSWORD
  valueFrom: { secretKeyRef: { name: {{ $fullname }}-redis, key: password } }
{{- else }}
{{- $secret := default (printf "%s-redis" $fullname) $redis.existingSecret.name }}
- name: REDIS_URL
  valueFrom: { secretKeyRef: { name: {{ $secret }}, key: {{ ternary $redis.existingSecret.urlKey "url" (ne $redis.existingSecret.name "") }} } }
{{- if $redis.existingSecret.name }}
{{- range $variable, $key := dict "REDIS_USERNAME" $redis.existingSecret.usernameKey "REDIS_PASSWORD" $redis.existingSecret.passwordKey }}
{{- if $key }}
- name: {{ $variable }}
  valueFrom: { secretKeyRef: { name: {{ $secret }}, key: {{ $key }} } }
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- with $redis.tls }}
{{- if .caSecret }}
- { name: REDIS_TLS_CA, value: /etc/factorial/redis-ca/{{ .caKey }} }
{{- end }}
{{- if .clientSecret }}
- { name: REDIS_TLS_CERT, value: /etc/factorial/redis-client/{{ .certKey }} }
- { name: REDIS_TLS_KEY, value: /etc/factorial/redis-client/{{ .keyKey }} }
{{- end }}
{{- end }}
{{- end }}

{{/* A role's variables: takes a dict with `root` and `role`. */}}
{{- define "factorial.env" -}}
{{- $values := .root.Values }}
- { name: FACTORIAL_CONFIG, value: /etc/factorial/factorial.yaml }
- { name: FACTORIAL_ADMIN_HOST, value: 0.0.0.0 }
- { name: FACTORIAL_ADMIN_PORT, value: "8001" }
- { name: FACTORIAL_LOG_FORMAT, value: json }
{{ include "factorial.redis.env" .root | trim }}
{{- if has .role (list "gateway" "dashboard") }}
{{- if $values.auth.enabled }}
- name: FACTORIAL_ADMIN_KEY
  valueFrom: { secretKeyRef: { name: {{ include "factorial.adminKey.secret" .root }}, key: {{ $values.auth.adminKey.key }} } }
{{- else }}
- { name: FACTORIAL_AUTH_ENABLED, value: "false" }
- { name: FACTORIAL_INSECURE_NO_AUTH, value: "true" }
{{- end }}
{{- end }}
{{- if eq .role "gateway" }}
- { name: FACTORIAL_GATEWAY_HOST, value: 0.0.0.0 }
- { name: FACTORIAL_GATEWAY_PORT, value: "8000" }
{{- else if eq .role "dashboard" }}
- { name: FACTORIAL_OBSERVABILITY_HOST, value: 0.0.0.0 }
- { name: FACTORIAL_OBSERVABILITY_PORT, value: "8080" }
{{- else if eq .role "worker" }}
- { name: FACTORIAL_AGENTS, value: /etc/factorial/agents }
- { name: FACTORIAL_GRACE_PERIOD_SECONDS, value: {{ include "factorial.worker.grace" .root | quote }} }
{{- if not (default dict $values.config.worker).public_url }}
- { name: FACTORIAL_PUBLIC_URL, value: {{ include "factorial.publicUrl" .root | quote }} }
{{- end }}
{{- if include "factorial.simulated" .root }}
- { name: FACTORIAL_SIMULATED_MODEL_URL, value: "http://{{ include "factorial.fullname" .root }}-model:8091/v1" }
{{- end }}
{{- end }}
{{- with (index $values .role).extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* A Deployment of a role: takes a dict with `root` and `role`, and of a role that has a public port, `port` and its `portName`. */}}
{{- define "factorial.deployment" -}}
{{- $root := .root }}
{{- $values := .root.Values }}
{{- $role := index .root.Values .role }}
{{- $fullname := include "factorial.fullname" .root }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $fullname }}-{{ .role }}
  labels:
    {{- include "factorial.labels" . | nindent 4 }}
spec:
  {{- if not (include "factorial.autoscaled" .) }}
  replicas: {{ $role.replicas }}
  {{- end }}
  revisionHistoryLimit: 3
  selector:
    matchLabels:
      {{- include "factorial.selector" . | nindent 6 }}
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxSurge: 1
      maxUnavailable: {{ if .port }}0{{ else }}1{{ end }}
  template:
    metadata:
      labels:
        {{- include "factorial.labels" . | nindent 8 }}
        {{- with $role.podLabels }}{{ toYaml . | nindent 8 }}{{ end }}
      annotations:
        checksum/config: {{ toYaml $values.config | sha256sum }}
        {{- if eq .role "worker" }}
        checksum/agents: {{ include "factorial.agents" $root | sha256sum }}
        checksum/providers: {{ toYaml $values.providers.env | sha256sum }}
        {{- end }}
        {{- if $values.redis.url }}
        checksum/redis: {{ $values.redis.url | sha256sum }}
        {{- end }}
        {{- with $role.podAnnotations }}{{ toYaml . | nindent 8 }}{{ end }}
    spec:
      serviceAccountName: {{ include "factorial.serviceAccount" $root }}
      automountServiceAccountToken: false
      enableServiceLinks: false
      {{- with $values.image.pullSecrets }}
      imagePullSecrets: {{ toJson . }}
      {{- end }}
      {{- with $role.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      securityContext:
        {{- include "factorial.podSecurity" $root | nindent 8 }}
      terminationGracePeriodSeconds: {{ include "factorial.terminationGrace" . }}
      containers:
        - name: {{ .role }}
          image: {{ include "factorial.image" $root | quote }}
          imagePullPolicy: {{ $values.image.pullPolicy }}
          command: [factorial-{{ .role }}]
          env:
            {{- include "factorial.env" . | trim | nindent 12 }}
          {{- if and (eq .role "worker") (or $values.providers.existingSecret $values.providers.env) }}
          envFrom:
            - secretRef: { name: {{ default (printf "%s-providers" $fullname) $values.providers.existingSecret }} }
          {{- end }}
          ports:
            {{- if .port }}
            - { name: http, containerPort: {{ .port }} }
            {{- end }}
            - { name: admin, containerPort: 8001 }
          # Liveness never asks Redis: a restart would not bring it back.
          startupProbe:
            httpGet: { path: /livez, port: admin }
            periodSeconds: 1
            failureThreshold: 60
          livenessProbe:
            httpGet: { path: /livez, port: admin }
            periodSeconds: 10
            timeoutSeconds: 3
            failureThreshold: 3
          readinessProbe:
            httpGet: { path: /readyz, port: admin }
            periodSeconds: 5
            timeoutSeconds: 3
            failureThreshold: 2
          {{- if .port }}
          lifecycle:
            preStop: { sleep: { seconds: {{ $role.preStopSeconds }} } }
          {{- end }}
          resources:
            {{- toYaml $role.resources | nindent 12 }}
          securityContext:
            {{- include "factorial.containerSecurity" $root | nindent 12 }}
          volumeMounts:
            - { name: config, mountPath: /etc/factorial/factorial.yaml, subPath: factorial.yaml, readOnly: true }
            {{- if eq .role "worker" }}
            - { name: agents, mountPath: /etc/factorial/agents, readOnly: true }
            {{- end }}
            {{- if $values.redis.tls.caSecret }}
            - { name: redis-ca, mountPath: /etc/factorial/redis-ca, readOnly: true }
            {{- end }}
            {{- if $values.redis.tls.clientSecret }}
            - { name: redis-client, mountPath: /etc/factorial/redis-client, readOnly: true }
            {{- end }}
      volumes:
        - { name: config, configMap: { name: {{ $fullname }}-config } }
        {{- if eq .role "worker" }}
        - { name: agents, configMap: { name: {{ default (printf "%s-agents" $fullname) $values.existingAgentsConfigMap }} } }
        {{- end }}
        {{- with $values.redis.tls.caSecret }}
        - { name: redis-ca, secret: { secretName: {{ . }} } }
        {{- end }}
        {{- with $values.redis.tls.clientSecret }}
        - { name: redis-client, secret: { secretName: {{ . }} } }
        {{- end }}
      {{- with $role.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $role.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $role.affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      topologySpreadConstraints:
        {{- with $role.topologySpreadConstraints }}
        {{- toYaml . | nindent 8 }}
        {{- else }}
        {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
        - maxSkew: 1
          topologyKey: {{ . }}
          whenUnsatisfiable: ScheduleAnyway
          matchLabelKeys: [pod-template-hash]
          labelSelector:
            matchLabels:
              {{- include "factorial.selector" $ | nindent 14 }}
        {{- end }}
        {{- end }}
{{- end }}
