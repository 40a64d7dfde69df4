#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Puts Spanloom into a namespace where llm-d's tracing guide puts an OpenTelemetry Collector and a Jaeger: same flags, same Services
# (otel-collector: 4317, 4318; jaeger-collector: 4317, 4318, 16686). What is applied are the files of manifests/ and components/, put together by
# kustomize; docs/deploy.md says more. Runs with bash 3.2 and kubectl alone.
set -euo pipefail

DEPLOY_DIR=${SPANLOOM_DEPLOY_DIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)}
OURS='app.kubernetes.io/part-of=llm-d-tracing,app.kubernetes.io/managed-by!=Helm'
CRD=opentelemetrycollectors.opentelemetry.io
CLAIM=spanloom-store
# Seconds. An operator makes the Deployment of a resource within two; the rest is for one that is busy. POLL is shortened by tests.
OPERATOR_SECONDS=${SPANLOOM_OPERATOR_SECONDS:-30}
VERIFY_SECONDS=${SPANLOOM_VERIFY_SECONDS:-30}
POLL_SECONDS=${SPANLOOM_POLL_SECONDS:-1}

NAMESPACE=""
ACTION=install
SPLIT=no
BACKEND=spanloom
STORAGE=""
STORE=""        # directory on the volume, if not the usual one
IMAGE=""
COLLECTOR_IMAGE=""
WAIT=yes
TIMEOUT_SECONDS=180
DRY_RUN=no
PURGE=no

COLLECTOR=none  # none (all in one), standalone or operator: how the collector in front is run
INSECURE=true   # whether the other backend is spoken to without TLS
WORK=""         # folder of this run, gone at its end
STAYS=no        # whether something of ours is there that may not or shall not be removed
CHANGING=no     # whether something has been changed, and not yet brought to an end

# -------------------------------------------------------------------------------------------------------------- messages

BLUE="" GREEN="" YELLOW="" RED="" PLAIN_OUT="" PLAIN_ERR=""
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then BLUE=$'\033[34m' GREEN=$'\033[32m' PLAIN_OUT=$'\033[0m'; fi
if [ -t 2 ] && [ -z "${NO_COLOR:-}" ]; then YELLOW=$'\033[33m' RED=$'\033[31m' PLAIN_ERR=$'\033[0m'; fi

info() { printf '%s  %s\n' "${BLUE}[INFO]$PLAIN_OUT" "$*"; }
ok() { printf '%s    %s\n' "${GREEN}[OK]$PLAIN_OUT" "$*"; }
warn() { printf '%s  %s\n' "${YELLOW}[WARN]$PLAIN_ERR" "$*" >&2; }
die() { printf '%s %s\n' "${RED}[ERROR]$PLAIN_ERR" "$*" >&2; exit 1; }

usage() {
  cat <<'TEXT'
usage: install-tracing.sh -n NAMESPACE [options]

Deploys Spanloom in place of llm-d's OTel Collector + Jaeger, or removes it.

  -n, --namespace NAME   the namespace; required, and best that of the llm-d workload
  -u, --uninstall        remove it; the volume claim with the traces stays
      --purge            with --uninstall: remove that too
  -h, --help             this text

      --split            collector and store apart, as in the guide; run by the OpenTelemetry Operator where there is one
                         (default: one pod for both)
      --storage SIZE     keep the traces on a volume of SIZE, such as 20Gi
                memory   keep them in memory, as the guide's Jaeger does (default): they go with the pod
      --store NAME       use the directory NAME of the volume, such as a backup (default store)
      --backend spanloom           traces go into Spanloom's own store (default)
                tempo              and from there to tempo:4317 in the same namespace
                otlp=HOST:PORT     and from there to this backend over OTLP/gRPC; otlp=https://HOST:PORT speaks TLS
                jaeger             to the Jaeger that is there as jaeger-collector, and nowhere else
      --image IMAGE      image whose program `spanloom` is run (default spanloom:0.1.0)
      --collector-image IMAGE   the operator's: its entry point is `spanloom collector` (default: --image with -collector after its name)

      --wait, --no-wait  wait until it runs, send a span and find it again (default), or not
      --timeout TIME     how long to wait, such as 90s or 3m (default 3m)
      --dry-run          say what would be applied, checked by the API server if there is one, and change nothing
TEXT
}

# ------------------------------------------------------------------------------------------------------------- arguments

# Dies unless an option has a value: value OPTION COUNT VALUE
value() {
  [ "$2" -ge 2 ] && [ -n "$3" ] && [ "${3#-}" = "$3" ] || die "$1 needs a value. See --help."
}

parse_arguments() {
  while [ $# -gt 0 ]; do
    case $1 in
      --*=*) set -- "${1%%=*}" "${1#*=}" "${@:2}"; continue ;;
      -n|--namespace) value "$1" $# "${2:-}"; NAMESPACE=$2; shift ;;
      -u|--uninstall) ACTION=uninstall ;;
      -h|--help) usage; exit 0 ;;
      --split) SPLIT=yes ;;
      --storage) value "$1" $# "${2:-}"; STORAGE=$2; shift ;;
      --store) value "$1" $# "${2:-}"; STORE=$2; shift ;;
      --backend) value "$1" $# "${2:-}"; BACKEND=$2; shift ;;
      --image) value "$1" $# "${2:-}"; IMAGE=$2; shift ;;
      --collector-image) value "$1" $# "${2:-}"; COLLECTOR_IMAGE=$2; shift ;;
      --wait) WAIT=yes ;;
      --no-wait) WAIT=no ;;
      --timeout) value "$1" $# "${2:-}"; TIMEOUT_SECONDS=$(seconds_of "$2"); shift ;;
      --dry-run) DRY_RUN=yes ;;
      --purge) PURGE=yes ;;
      *) die "Unknown option: $1" ;;
    esac
    shift
  done
}

seconds_of() {
  case $1 in
    *[!0-9smh]*|''|[smh]*) die "--timeout $1: a number of seconds, or such as 90s, 3m, 1h" ;;
    *m) echo $((${1%m} * 60)) ;;
    *h) echo $((${1%h} * 3600)) ;;
    *) echo "${1%s}" ;;
  esac
}

# MiB of a quantity such as 20Gi; nothing if it is none.
mib_of() {
  local number=${1%%[!0-9]*}
  [ -n "$number" ] || return 0
  case ${1#"$number"} in
    Mi) echo "$number" ;;
    Gi) echo $((number * 1024)) ;;
    Ti) echo $((number * 1024 * 1024)) ;;
    M) echo $((number * 1000000 / 1048576)) ;;
    G) echo $((number * 1000000000 / 1048576)) ;;
    T) echo $((number * 1000000000000 / 1048576)) ;;
  esac
}

check_arguments() {
  [ -n "$NAMESPACE" ] || die "Namespace is required. Use -n <namespace> to specify the target namespace."
  case $NAMESPACE in
    *[!a-z0-9-]*|-*|*-) die "'$NAMESPACE' cannot be a namespace: lower case letters, digits and '-' inside only (RFC 1123)" ;;
  esac
  [ "$PURGE" = no ] || [ "$ACTION" = uninstall ] || die "--purge removes the traces: it goes with --uninstall"
  check_backend
  [ -z "$STORAGE" ] || [ "$BACKEND" != jaeger ] || die "--storage: with --backend jaeger there is no store of Spanloom's"
  [ -n "$STORAGE" ] || STORAGE=memory
  [ "$STORAGE" = memory ] || check_size
  check_store
}

check_store() {
  case $STORE in
    '') return 0 ;;
    *[!A-Za-z0-9._-]*|.*) die "--store $STORE: the name of a directory on the volume: letters, digits, '.', '_' and '-', the first of them no '.'" ;;
  esac
  [ "$STORAGE" != memory ] || die "--store $STORE: there is no volume; --storage says how large it is, such as 20Gi"
}

check_size() {
  local mib
  mib=$(mib_of "$STORAGE")
  [ -n "$mib" ] || die "--storage $STORAGE: 'memory', or a size such as 20Gi (units Mi, Gi, Ti, M, G, T)"
  [ "$mib" -ge 1024 ] || die "--storage $STORAGE: a store needs 1Gi at least"
}

check_backend() {
  case $BACKEND in
    spanloom|jaeger) ;;
    tempo) BACKEND_ENDPOINT=tempo:4317 ;;
    otlp=*)
      BACKEND_ENDPOINT=${BACKEND#otlp=}
      case $BACKEND_ENDPOINT in
        https://*) INSECURE=false; BACKEND_ENDPOINT=${BACKEND_ENDPOINT#https://} ;;
        http://*) BACKEND_ENDPOINT=${BACKEND_ENDPOINT#http://} ;;
      esac
      BACKEND_ENDPOINT=${BACKEND_ENDPOINT%/}
      case $BACKEND_ENDPOINT in
        *[!A-Za-z0-9.:_-]*|:*|*:|*:*[!0-9]*) die "--backend $BACKEND: otlp=HOST:PORT, such as otlp=tempo.monitoring:4317" ;;
        *:*) ;;
        *) die "--backend $BACKEND: the port is missing; OTLP/gRPC has 4317" ;;
      esac ;;
    *) die "--backend $BACKEND: one of spanloom, jaeger, tempo, otlp=HOST:PORT" ;;
  esac
}

# --------------------------------------------------------------------------------------------------------------- cluster

k() { kubectl --namespace "$NAMESPACE" "$@"; }

# Dies at once if nobody answers, or does not let us in.
reach_server() {
  kubectl get --raw /version --request-timeout=10s >/dev/null 2>"$WORK/reach" && return
  case $(cat "$WORK/reach") in
    *Forbidden*|*forbidden*) ;;
    *Unauthorized*|*"must be logged in"*) die "The API server does not know you: $(tail -n 1 "$WORK/reach")" ;;
    *) die "The API server does not answer (context '$(kubectl config current-context 2>/dev/null || echo none)'): $(tail -n 1 "$WORK/reach")" ;;
  esac
}

may() {  # may VERB RESOURCE [options]: whether the API server says that we may; its silence is a yes, so that the request itself decides
  local answer
  answer=$(k auth can-i "$@" 2>/dev/null) || true
  [ "${answer%%[ -]*}" != no ]
}

# Sets NAMESPACE_THERE to yes, no, going (it is being deleted), or unseen: whoever has rights in one namespace alone may not look at it.
see_namespace() {
  local phase
  NAMESPACE_THERE=yes
  if phase=$(kubectl get namespace "$NAMESPACE" -o 'jsonpath={.status.phase}' 2>"$WORK/namespace"); then
    [ "$phase" != Terminating ] || NAMESPACE_THERE=going
    return
  fi
  case $(cat "$WORK/namespace") in
    *NotFound*|*"not found"*) NAMESPACE_THERE=no ;;
    *orbidden*) NAMESPACE_THERE=unseen ;;
    *) die "Namespace '$NAMESPACE' could not be looked at: $(tail -n 1 "$WORK/namespace")" ;;
  esac
}

need_namespace_to_stay() {
  [ "$NAMESPACE_THERE" != going ] || die "Namespace '$NAMESPACE' is being deleted. Wait until it is gone, or use another one. (kubectl get namespace $NAMESPACE -o yaml says what holds it up.)"
}

create_namespace() {
  [ "$NAMESPACE_THERE" = no ] || return 0
  info "Creating namespace '$NAMESPACE'..."
  kubectl create namespace "$NAMESPACE"
}

# Whether the cluster knows OpenTelemetryCollector. Who may not read CRDs is told by the list of kinds, which everybody may see.
has_operator_kind() {
  kubectl get crd "$CRD" -o name >/dev/null 2>"$WORK/crd" && return
  grep -qi forbidden "$WORK/crd" || return 1
  kubectl api-resources --api-group=opentelemetry.io -o name 2>/dev/null | grep -qx "$CRD"
}

NAMES_AND_OWNERS='{range .items[*]}{.kind}{"/"}{.metadata.name}{"|"}{.metadata.labels.app\.kubernetes\.io/part-of}{"|"}{.metadata.labels.app\.kubernetes\.io/managed-by}{"\n"}{end}'

# Sets SURVEY to what is in the namespace: a line KIND/NAME|PART OF|MANAGED BY for each object that may be in the way.
survey() {
  SURVEY=$(k get deployments,statefulsets,services,configmaps -o "jsonpath=$NAMES_AND_OWNERS" 2>"$WORK/survey") ||
    die "What is in namespace '$NAMESPACE' cannot be seen: $(tail -n 1 "$WORK/survey")"
}

there() { grep -q "^$1|" <<<"$SURVEY"; }  # there KIND/NAME
part_of() { sed -n "s,^$1|\([^|]*\)|.*,\1,p" <<<"$SURVEY"; }
managed_by() { sed -n "s,^$1|[^|]*|,,p" <<<"$SURVEY"; }

# Whether an object is there now, of a kind that the survey leaves out; without the right to look, no.
is_there() { [ -n "$(k get "$1" --ignore-not-found -o name 2>/dev/null)" ]; }

need_rights() {
  local missing=() resource
  if [ "$NAMESPACE_THERE" = no ] && ! may create namespaces; then
    die "Namespace '$NAMESPACE' does not exist, and you may not create namespaces. Ask an administrator for: kubectl create namespace $NAMESPACE"
  fi
  for resource in $(wanted_kinds); do
    may create "$resource" || missing+=("$resource")
  done
  [ ${#missing[@]} -eq 0 ] || die "You may not create ${missing[*]} in namespace '$NAMESPACE'. (kubectl auth can-i create ${missing[0]} -n $NAMESPACE says no.)"
}

wanted_kinds() {
  echo services configmaps
  [ "$BACKEND" = jaeger ] || echo statefulsets.apps
  case $COLLECTOR in
    standalone) echo deployments.apps ;;
    operator) echo "$CRD" ;;
  esac
  [ "$STORAGE" = memory ] || echo persistentvolumeclaims
}

# Refuses to take over what somebody else keeps: Helm would put it back, and an operator too.
need_no_owner() {
  local object owner
  for object in Deployment/jaeger StatefulSet/jaeger Service/jaeger-collector Deployment/otel-collector Service/otel-collector; do
    [ "$BACKEND" != jaeger ] || [ "${object#*/}" = otel-collector ] || continue
    owner=$(managed_by "$object")
    case $owner in
      ''|opentelemetry-operator) ;;
      *) die "${object%/*} '${object#*/}' in namespace '$NAMESPACE' is managed by $owner. Remove it there first, or use another namespace." ;;
    esac
  done
}

need_jaeger() {
  there Service/jaeger-collector || die "There is no Service 'jaeger-collector' in namespace '$NAMESPACE': --backend jaeger sends to a Jaeger that is there already"
  [ "$(part_of Service/jaeger-collector)" != llm-d-tracing ] || die "Service 'jaeger-collector' in namespace '$NAMESPACE' is Spanloom's own. Remove it first: $0 -u -n $NAMESPACE"
}

# --------------------------------------------------------------------------------------------------------------- objects

need_files() {
  local manifests=$DEPLOY_DIR/manifests
  [ "$BACKEND" = jaeger ] || [ -f "$manifests/jaeger-all-in-one.yaml" ] || die "Jaeger manifest not found at: $manifests/jaeger-all-in-one.yaml"
  [ -d "$DEPLOY_DIR/components" ] || die "Components not found at: $DEPLOY_DIR/components"
  [ "$SPLIT" = yes ] || [ -f "$manifests/otel-collector.yaml" ] || die "OTel Collector standalone manifest not found at: $manifests/otel-collector.yaml"
}

# How the collector in front is run. Needs the cluster; without one (a dry run) it is standalone.
choose_collector() {
  local manifests=$DEPLOY_DIR/manifests
  [ "$SPLIT" = yes ] || return 0
  COLLECTOR=standalone
  if [ "$SERVER" = no ] || ! has_operator_kind; then
    [ -f "$manifests/otel-collector.yaml" ] || die "OTel Collector standalone manifest not found at: $manifests/otel-collector.yaml"
    CHOICE="OpenTelemetry Operator not found -- deploying standalone collector..."
  elif [ -f "$manifests/otel-collector-operator.yaml" ]; then
    choose_operator
  elif [ -f "$manifests/otel-collector.yaml" ]; then
    CHOICE="OpenTelemetry Operator detected but operator manifest not found -- falling back to standalone collector..."
  else
    die "No OTel Collector manifest found in: $manifests"
  fi
}

choose_operator() {
  if may create "$CRD"; then
    COLLECTOR=operator
    CHOICE="OpenTelemetry Operator detected -- deploying collector as OpenTelemetryCollector CR..."
  else
    CHOICE="OpenTelemetry Operator detected, but you may not create $CRD -- deploying standalone collector..."
  fi
}

# NAME-collector for the image NAME, with what follows the name: registry:5000/spanloom:1.0 becomes registry:5000/spanloom-collector:1.0.
collector_image() {
  local path="" name=$IMAGE
  [ -z "$COLLECTOR_IMAGE" ] || { echo "$COLLECTOR_IMAGE"; return; }
  case $name in */*) path=${name%/*}/; name=${name##*/} ;; esac
  echo "$path${name%%[:@]*}-collector${name#"${name%%[:@]*}"}"
}

# Writes $WORK/kustomization.yaml: which files, and what differs from them.
write_kustomization() {
  cp -R "$DEPLOY_DIR/manifests" "$DEPLOY_DIR/components" "$WORK/"
  {
    printf 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n'
    list_resources
    list_components
    list_patches
  } >"$WORK/kustomization.yaml"
}

list_resources() {
  echo "resources:"
  [ "$BACKEND" = jaeger ] || echo "  - manifests/jaeger-all-in-one.yaml"
  case $COLLECTOR in
    operator) echo "  - manifests/otel-collector-operator.yaml" ;;
    *) echo "  - manifests/otel-collector.yaml" ;;
  esac
}

list_components() {
  echo "components:"
  [ "$COLLECTOR" != none ] || echo "  - components/all-in-one"
  [ "$STORAGE" = memory ] || echo "  - components/persistent-volume"
  if [ -n "${BACKEND_ENDPOINT:-}" ] && [ "$COLLECTOR" != operator ]; then echo "  - components/backend"; fi
}

# patch KIND PATH VALUE: one value of all objects of a kind is another.
patch() {
  printf '  - target: {kind: %s}\n    patch: |\n      - {op: %s, path: "%s", value: %s}\n' "$1" "$2" "$3" "$4"
}

list_patches() {
  echo "patches:"
  if [ -n "$IMAGE" ]; then
    patch "(Deployment|StatefulSet)" replace /spec/template/spec/containers/0/image "\"$IMAGE\""
  fi
  if [ -n "$IMAGE$COLLECTOR_IMAGE" ]; then
    patch OpenTelemetryCollector replace /spec/image "\"$(collector_image)\""
  fi
  [ "$STORAGE" = memory ] || list_storage_patches
  [ -z "${BACKEND_ENDPOINT:-}" ] || list_backend_patches
}

# Four fifths of the volume are for traces: the rest is room for segments that are being merged, and for the log.
list_storage_patches() {
  local retention=$(($(mib_of "$STORAGE") * 4 / 5))
  patch PersistentVolumeClaim replace /spec/resources/requests/storage "\"$STORAGE\""
  patch StatefulSet add /spec/template/spec/containers/0/args/- "\"--set=exporters.spanloom_store.retention.mib_max=$retention\""
  [ -z "$STORE" ] || patch StatefulSet add /spec/template/spec/containers/0/args/- "\"--set=exporters.spanloom_store.data_dir=/var/lib/spanloom/$STORE\""
}

list_backend_patches() {
  if [ "$COLLECTOR" = operator ]; then
    patch OpenTelemetryCollector add /spec/config/exporters/otlp_grpc~1backend \
      "{endpoint: \"$BACKEND_ENDPOINT\", tls: {insecure: $INSECURE}, retry_on_failure: {max_elapsed_time: 0s}}"
    patch OpenTelemetryCollector add /spec/config/service/pipelines/traces/exporters/- otlp_grpc/backend
    return
  fi
  # By the names of variables, so that those of the component get other values.
  local kind=StatefulSet name=jaeger
  [ "$COLLECTOR" = none ] || kind=Deployment name=otel-collector
  printf '  - patch: |\n      apiVersion: apps/v1\n      kind: %s\n      metadata: {name: %s}\n' "$kind" "$name"
  printf '      spec: {template: {spec: {containers: [{name: %s, env: [{name: SPANLOOM_BACKEND_ENDPOINT, value: "%s"}, {name: SPANLOOM_BACKEND_INSECURE, value: "%s"}]}]}}}\n' \
    "$name" "$BACKEND_ENDPOINT" "$INSECURE"
}

render() {
  write_kustomization
  kustomize
  list_digests >>"$WORK/kustomization.yaml"
  kustomize
}

kustomize() {
  kubectl kustomize "$WORK" >"$WORK/objects.yaml" 2>"$WORK/kustomize" || die "The manifests cannot be put together: $(tail -n 1 "$WORK/kustomize")"
}

# Pods are replaced when their configuration is another one: their templates say which one it is.
list_digests() {
  if [ "$COLLECTOR" = none ]; then
    digest_patch StatefulSet spanloom-config spanloom-backend
  else
    digest_patch StatefulSet spanloom-config
    digest_patch Deployment otel-collector-config spanloom-backend
  fi
}

# digest_patch KIND CONFIGMAP... : an annotation of a kind's pods with a digest of what these ConfigMaps hold.
digest_patch() {
  local kind=$1 digest
  shift
  digest=$(config_maps " $* " | cksum | tr ' ' -)
  printf '  - target: {kind: %s}\n    patch: |\n      apiVersion: apps/v1\n      kind: %s\n      metadata: {name: any}\n' "$kind" "$kind"
  printf '      spec: {template: {metadata: {annotations: {checksum/config: "%s"}}}}\n' "$digest"
}

# config_maps " NAME... ": the documents of these ConfigMaps.
config_maps() {
  awk -v wanted="$1" '
    function finish() { if (document ~ /\nkind: ConfigMap\n/ && index(wanted, " " name " ")) printf "%s", document; document = "\n" }
    BEGIN { document = "\n" }
    /^---$/ { finish(); next }
    /^  name: / { name = $2 }
    { document = document $0 "\n" }
    END { finish() }' "$WORK/objects.yaml"
}

# ---------------------------------------------------------------------------------------------------------------- action

# remove OBJECT... : deletes what is there of them, by kind/name.
remove() {
  if [ "$DRY_RUN" = yes ]; then k delete "$@" --ignore-not-found --dry-run=server; else k delete "$@" --ignore-not-found; fi
}

# The other ways of running a collector have objects of the same names, so they go before the new one comes.
remove_other_variants() {
  if [ "$COLLECTOR" = operator ]; then
    if there Deployment/otel-collector && [ "$(managed_by Deployment/otel-collector)" != opentelemetry-operator ]; then
      info "Removing the standalone collector, whose place the operator's takes..."
      remove deployment/otel-collector service/otel-collector configmap/otel-collector-config
    fi
  elif is_there "$CRD/otel"; then
    info "Removing the OpenTelemetryCollector CR 'otel', whose place another collector takes..."
    remove "$CRD/otel" --cascade=foreground
  fi
}

# What is of no use any more once the new objects are there.
remove_leftovers() {
  if [ "$COLLECTOR" = none ] && there Deployment/otel-collector && [ "$(managed_by Deployment/otel-collector)" != opentelemetry-operator ]; then
    info "Removing the collector's own Deployment: the store's pod takes what is sent to it..."
    remove deployment/otel-collector configmap/otel-collector-config
  fi
  if [ "$BACKEND" != jaeger ] && there Deployment/jaeger; then
    info "Removing the guide's Jaeger: its traces are in memory and go with it..."
    remove deployment/jaeger
  fi
  if [ -z "${BACKEND_ENDPOINT:-}" ] && there ConfigMap/spanloom-backend; then remove configmap/spanloom-backend; fi
}

announce() {
  case $COLLECTOR-$BACKEND in
    none-*) info "Deploying collector, store and Jaeger UI in one pod..." ;;
    *-jaeger) info "$CHOICE" ;;
    *) info "Deploying Jaeger all-in-one (Spanloom's store, query API and UI)..."; info "$CHOICE" ;;
  esac
}

apply() {
  announce
  k apply -f "$WORK/objects.yaml"
}

# Whether a running operator has made what the CR stands for, within a bound.
operator_acts() {
  local end=$((SECONDS + OPERATOR_SECONDS))
  until is_there deployment/otel-collector && is_there service/otel-collector; do
    [ $SECONDS -lt $end ] || return 1
    sleep "$POLL_SECONDS"
  done
}

fall_back_if_operator_is_dead() {
  [ "$COLLECTOR" = operator ] || return 0
  operator_acts && return
  warn "The CRD $CRD is installed, but no operator acts on it: no Deployment and Service 'otel-collector' after ${OPERATOR_SECONDS}s."
  [ -f "$DEPLOY_DIR/manifests/otel-collector.yaml" ] || die "No collector runs, and the standalone manifest is missing: $DEPLOY_DIR/manifests/otel-collector.yaml"
  COLLECTOR=standalone
  CHOICE="OpenTelemetry Operator not running -- deploying standalone collector..."
  rm -rf "$WORK/manifests" "$WORK/components"
  remove "$CRD/otel"
  render
  info "$CHOICE"
  k apply -f "$WORK/objects.yaml"
}

dry_run() {
  info "Dry run: nothing is changed."
  if [ "$SERVER" = no ]; then
    warn "No API server answers, so nothing is checked there: these are the objects."
    cat "$WORK/objects.yaml"
  elif [ "$NAMESPACE_THERE" = no ]; then
    info "Namespace '$NAMESPACE' would be created, so the objects are checked here alone."
    k apply --dry-run=client -f "$WORK/objects.yaml"
  else
    announce
    k apply --dry-run=server -f "$WORK/objects.yaml"
    remove_other_variants
    remove_leftovers
  fi
}

install() {
  info "Deploying Spanloom as OTel Collector + Jaeger into namespace '$NAMESPACE'..."
  need_files
  SERVER=yes
  if [ "$DRY_RUN" = yes ]; then (reach_server) 2>/dev/null || SERVER=no; else reach_server; fi
  choose_collector
  if [ "$SERVER" = yes ]; then
    see_namespace
    need_namespace_to_stay
    need_rights
    survey
    need_no_owner
    [ "$BACKEND" != jaeger ] || need_jaeger
  fi
  render
  if [ "$DRY_RUN" = yes ]; then dry_run; return; fi
  CHANGING=yes
  create_namespace
  remove_other_variants
  apply
  remove_leftovers
  fall_back_if_operator_is_dead
  if [ "$WAIT" = yes ]; then wait_until_ready; verify; fi
  CHANGING=no
  ok "Spanloom as OTel Collector + Jaeger deployed successfully."
  say_access
}

say_access() {
  info ""
  info "Access the Jaeger UI with:"
  info "  kubectl port-forward -n $NAMESPACE svc/jaeger-collector 16686:16686"
  info "  Then open http://localhost:16686"
  info ""
  info "Components should export OTLP traces to:"
  info "  http://otel-collector.$NAMESPACE.svc.cluster.local:4317"
  info "  (or simply http://otel-collector:4317 from the same namespace)"
  if [ "$NAMESPACE_THERE" = no ]; then info "Namespace '$NAMESPACE' is new, so no workload is in it: one that is in another namespace needs the first of these names."; fi
  if [ "$BACKEND" = jaeger ]; then return; fi
  if [ "$STORAGE" = memory ]; then info "Traces are kept in memory, and go with the pod: --storage 20Gi keeps them."; fi
}

uninstall() {
  info "Removing Spanloom as OTel Collector + Jaeger from namespace '$NAMESPACE'..."
  reach_server
  see_namespace
  CHANGING=yes
  : >"$WORK/removed"
  if [ "$NAMESPACE_THERE" != no ]; then remove_all; fi
  CHANGING=no
  if [ ! -s "$WORK/removed" ]; then say_nothing_was_there; return; fi
  ok "OTel Collector + Jaeger removed from namespace '$NAMESPACE'."
}

# What is removed is written into $WORK/removed as well.
remove_all() {
  if is_there "$CRD/otel"; then
    if may delete "$CRD"; then remove "$CRD" -l "$OURS" | noted; else warn "The OpenTelemetryCollector CR 'otel' stays: you may not delete it."; STAYS=yes; fi
  fi
  remove statefulsets,deployments,services,configmaps -l "$OURS" 2>&1 | noted
  if [ "$PURGE" = yes ]; then
    remove "persistentvolumeclaim/$CLAIM" | noted
  elif is_there "persistentvolumeclaim/$CLAIM"; then
    info "The volume claim '$CLAIM' stays, with its traces: --purge removes it too."
    STAYS=yes
  fi
}

noted() { { grep -v '^No resources found' || true; } | tee -a "$WORK/removed"; }

# Whoever mistook the namespace is told where to look, as far as they may.
say_nothing_was_there() {
  local what=Nothing elsewhere
  [ "$STAYS" = no ] || what="Nothing else"
  if [ "$NAMESPACE_THERE" = no ]; then ok "There is no namespace '$NAMESPACE', so nothing to remove."; else ok "$what of Spanloom is in namespace '$NAMESPACE' that this script could remove."; fi
  say_helm_release
  elsewhere=$(namespaces_with_us | grep -vx "$NAMESPACE" | head -n 20 | paste -s -d , - | sed 's/,/, /g') || true
  if [ -n "$elsewhere" ]; then info "Namespaces that have it: $elsewhere"; fi
}

# Every installation has a Service or a Deployment.
namespaces_with_us() {
  kubectl get services,deployments --all-namespaces --request-timeout=10s -l "$OURS" -o 'jsonpath={range .items[*]}{.metadata.namespace}{"\n"}{end}' 2>/dev/null | sort -u
}

say_helm_release() {
  local release
  [ "$NAMESPACE_THERE" != no ] || return 0
  release=$(k get services -l app.kubernetes.io/name=spanloom,app.kubernetes.io/managed-by=Helm -o 'jsonpath={range .items[*]}{.metadata.labels.app\.kubernetes\.io/instance}{"\n"}{end}' 2>/dev/null | head -n 1) || true
  if [ -n "$release" ]; then info "What is there was installed by Helm: helm uninstall $release -n $NAMESPACE"; fi
}

# --------------------------------------------------------------------------------------------------------------- waiting

# Labels of a workload's pods.
pods_of() {
  case $1-$COLLECTOR in
    statefulset/*) echo "app=jaeger,app.kubernetes.io/component=store" ;;
    *-operator) echo "app.kubernetes.io/instance=$NAMESPACE.otel,app.kubernetes.io/component=opentelemetry-collector" ;;
    *) echo "app=otel-collector,app.kubernetes.io/component=collector" ;;
  esac
}

wait_until_ready() {
  if [ "$BACKEND" != jaeger ]; then wait_for_rollout statefulset/jaeger; fi
  if [ "$COLLECTOR" != none ]; then wait_for_rollout deployment/otel-collector; fi
}

# Ends as soon as the pods are ready, or as soon as it is plain that they will not be: three looks in a row say the same then, since a
# pod of before is still there for a moment.
wait_for_rollout() {
  local end=$((SECONDS + TIMEOUT_SECONDS)) hopeless=0
  info "Waiting for $1..."
  until k rollout status "$1" --timeout=2s >/dev/null 2>&1; do
    why_not_ready "$1"
    if [ "$FINAL" = yes ]; then hopeless=$((hopeless + 1)); else hopeless=0; fi
    [ $hopeless -lt 3 ] || die "$1 does not become ready: $REASON"
    [ $SECONDS -lt $end ] || die "$1 is not ready after ${TIMEOUT_SECONDS}s: $REASON"
    sleep "$POLL_SECONDS"
  done
}

POD_STATES='{range .items[*]}{.metadata.name}{"|"}{.status.conditions[?(@.type=="PodScheduled")].reason}{"|"}{.status.containerStatuses[0].state.waiting.reason}{"|"}{.status.containerStatuses[0].restartCount}{"|"}{.status.containerStatuses[0].lastState.terminated.reason}{"\n"}{end}'
FAILED_CREATES='{range .items[*]}{.involvedObject.name}{"|"}{.message}{"\n"}{end}'

# Sets REASON to what is wrong with a workload's pods, and FINAL to whether waiting is of no use.
why_not_ready() {
  local states pod scheduled waiting restarts ended
  FINAL=no
  states=$(k get pods -l "$(pods_of "$1")" -o "jsonpath=$POD_STATES" 2>/dev/null) || true
  if [ -z "$states" ]; then why_no_pod "$1"; return; fi
  while IFS='|' read -r pod scheduled waiting restarts ended; do
    why_not_this_pod "$pod" "$scheduled" "$waiting" "$restarts" "$ended"
    [ "$ended" != OOMKilled ] || REASON=$(why_out_of_memory "$1" "$pod" "$restarts")
    [ "$FINAL" = no ] || return 0
  done <<<"$states"
}

why_no_pod() {
  local message
  message=$(k get events --field-selector reason=FailedCreate -o "jsonpath=$FAILED_CREATES" 2>/dev/null | grep "^${1#*/}" | tail -n 1) || true
  REASON="there is no pod yet"
  [ -n "$message" ] || return 0
  REASON="its pod may not be made: ${message#*|}"
  FINAL=yes
}

why_not_this_pod() {
  local pod=$1 scheduled=$2 waiting=$3 restarts=$4 ended=$5
  case $waiting in
    ImagePullBackOff|ErrImagePull|InvalidImageName|ErrImageNeverPull|ImageInspectError)
      REASON="the image of pod $pod cannot be had ($waiting): $(waiting_message "$pod") --image says which one to take."; FINAL=yes ;;
    CreateContainerConfigError|CreateContainerError|RunContainerError)
      REASON="the container of pod $pod cannot be made ($waiting): $(waiting_message "$pod")"; FINAL=yes ;;
    CrashLoopBackOff)
      REASON="pod $pod ends again and again ($restarts restarts${ended:+, $ended}). Its last line: $(last_line "$pod")"; FINAL=yes ;;
    *)
      if [ "$scheduled" = Unschedulable ]; then
        REASON="pod $pod finds no node: $(of_pod "$pod" '{.status.conditions[?(@.type=="PodScheduled")].message}')"
      else
        REASON="pod $pod runs, but is not ready yet. Its last line: $(last_line "$pod")"
      fi ;;
  esac
}

# why_out_of_memory WORKLOAD POD RESTARTS: Kubernetes ended a container that reached its limit; its last line says nothing of that.
why_out_of_memory() {
  local name limit
  name=$(of_pod "$2" '{.status.containerStatuses[0].name}')
  limit=$(of_pod "$2" "{.spec.containers[?(@.name==\"$name\")].resources.limits.memory}")
  echo "container $name of pod $2 needs more memory than ${limit:+its limit of }${limit:-the node has} and was ended for it (OOMKilled, $3 restarts). Raise resources.limits.memory of that container in $(manifest_of "$1") and run this again."
}

manifest_of() {
  case $1-$COLLECTOR in
    statefulset/*) echo "$DEPLOY_DIR/manifests/jaeger-all-in-one.yaml" ;;
    *-operator) echo "$DEPLOY_DIR/manifests/otel-collector-operator.yaml" ;;
    *) echo "$DEPLOY_DIR/manifests/otel-collector.yaml" ;;
  esac
}

of_pod() { k get pod "$1" -o "jsonpath=$2" 2>/dev/null || true; }
waiting_message() { of_pod "$1" '{.status.containerStatuses[0].state.waiting.message}'; }

last_line() {
  local line
  line=$(k logs "$1" --previous --tail=1 2>/dev/null) || line=$(k logs "$1" --tail=1 2>/dev/null) || line=""
  echo "${line:-(none)}"
}

# ------------------------------------------------------------------------------------------------------------- test span

# By port-forward: it needs no pod of its own, so no image, quota or pod security stands in its way, and no NetworkPolicy either; and it goes by the
# Service, so a selector that finds nobody shows. HTTP is spoken by bash, so nothing but kubectl is needed.
verify() {
  if ! may create pods --subresource=portforward; then
    warn "Not verified: you may not forward ports in namespace '$NAMESPACE' (create pods/portforward)."
    return
  fi
  local trace port
  trace=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  info "Sending a test span to otel-collector:4318..."
  port=$(forward otel-collector 4318) || die "Service 'otel-collector' cannot be reached: $(forward_trouble otel-collector)"
  send_span "$port" "$trace" || die "otel-collector:4318 did not take a test span: ${ANSWER:-no answer}$(why_refused)"
  if ! port=$(forward jaeger-collector 16686); then
    [ "$BACKEND" = jaeger ] || die "Service 'jaeger-collector' cannot be reached: $(forward_trouble jaeger-collector)"
    warn "The test span was taken. It was not looked for, since 'jaeger-collector' has no port 16686 that answers."
    return
  fi
  find_span "$port" "$trace" || die "The test span was taken by otel-collector:4318, but jaeger-collector:16686 does not show it after ${VERIFY_SECONDS}s: ${ANSWER:-no answer}"
  ok "A test span went in at otel-collector:4318 and was found at jaeger-collector:16686 (trace $trace, service spanloom-install-check)."
}

# What a 503 of the collector means, and where its reason stands.
why_refused() {
  local workload=deployment/otel-collector
  [ "$COLLECTOR" != none ] || workload=statefulset/jaeger
  [ "${ANSWER%% *}" != 503 ] || echo ". It refuses spans for now: memory (memory_limiter, resources.limits.memory in $(manifest_of "$workload")) or a full queue. Its log says which: kubectl logs -n $NAMESPACE $workload"
}

# forward SERVICE PORT: prints the port on this machine that leads there.
forward() {
  local log=$WORK/forward-$1 pid end=$((SECONDS + VERIFY_SECONDS))
  : >"$log"  # so that it is there before kubectl's own process is
  kubectl --namespace "$NAMESPACE" port-forward "service/$1" ":$2" --address 127.0.0.1 >"$log" 2>&1 &
  pid=$!
  echo "$pid" >>"$WORK/pids"
  until grep -q '^Forwarding from' "$log"; do
    kill -0 "$pid" 2>/dev/null && [ $SECONDS -lt $end ] || return 1
    sleep "$POLL_SECONDS"
  done
  sed -n 's/^Forwarding from 127\.0\.0\.1:\([0-9]*\) .*/\1/p' "$log" | head -n 1
}

# What kubectl said of it at last, or that it says nothing: forward_trouble SERVICE
forward_trouble() {
  local said
  said=$(tail -n 1 "$WORK/forward-$1")
  echo "${said:-kubectl port-forward service/$1 says nothing for ${VERIFY_SECONDS}s}"
}

# http PORT METHOD PATH BODY: sets ANSWER to the status line's code and words; true if the code is 200.
http() {
  ANSWER=$(exchange "$@" 2>/dev/null) || ANSWER=""
  ANSWER=${ANSWER%$'\r'}
  [ "${ANSWER%% *}" = 200 ]
}

exchange() {
  local version status
  exec 3<>"/dev/tcp/127.0.0.1/$1"
  printf '%s %s HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s' "$2" "$3" "${#4}" "$4" >&3
  IFS=' ' read -r -t 10 version status <&3
  [ -n "$version" ] && echo "$status"
}

# again COMMAND... : until it is true, for VERIFY_SECONDS at most.
again() {
  local end=$((SECONDS + VERIFY_SECONDS))
  until "$@"; do
    [ $SECONDS -lt $end ] || return 1
    sleep "$POLL_SECONDS"
  done
}

send_span() {
  local now
  now=$(date +%s)
  again http "$1" POST /v1/traces "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":\"spanloom-install-check\"}}]},\"scopeSpans\":[{\"spans\":[{\"traceId\":\"$2\",\"spanId\":\"${2:0:16}\",\"name\":\"install check\",\"kind\":1,\"startTimeUnixNano\":\"${now}000000000\",\"endTimeUnixNano\":\"${now}001000000\"}]}]}]}"
}

find_span() { again http "$1" GET "/api/traces/$2" ""; }

# ------------------------------------------------------------------------------------------------------------------ main

# What a run that fails leaves behind, and what to do about it.
say_what_is_left() {
  if [ "$ACTION" = uninstall ]; then
    warn "What could not be removed is still in namespace '$NAMESPACE': run this again when the cause is mended."
  else
    warn "What has been applied stays in namespace '$NAMESPACE'. Mend the cause and run this again, or remove it: $0 -u -n $NAMESPACE"
  fi
}

clean_up() {
  local pid
  if [ "$CHANGING" = yes ]; then say_what_is_left; fi
  if [ -f "$WORK/pids" ]; then while read -r pid; do kill "$pid" 2>/dev/null || true; done <"$WORK/pids"; fi
  rm -rf "$WORK"
}

main() {
  parse_arguments "$@"
  command -v kubectl >/dev/null || die "kubectl is required but not found in PATH"
  check_arguments
  [ "$BACKEND" != jaeger ] || SPLIT=yes
  [ -z "$COLLECTOR_IMAGE" ] || [ -n "$IMAGE" ] || IMAGE=spanloom:0.1.0
  WORK=$(mktemp -d "${TMPDIR:-/tmp}/install-tracing.XXXXXX")
  trap clean_up EXIT
  "$ACTION"
}

main "$@"
