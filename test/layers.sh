#!/usr/bin/env bash
# The layer rule: module folders -> pg -> model -> algo -> data -> core, with metric and plot on core alone.
# Pure folders include no PostgreSQL header and keep no state that changes.
cd "$(dirname "$0")/../src" || exit 1
declare -A allowed=(
    [core]="core" [data]="core data" [algo]="core data algo" [metric]="core metric" [plot]="core plot"
    [model]="core data algo metric model" [pg]="core data algo metric plot model pg"
    [source]="core data algo metric plot model pg source" [train]="core data algo metric plot model pg train"
    [serve]="core data algo metric plot model pg serve" [analyze]="core data algo metric plot model pg analyze"
    [manage]="core data algo metric plot model pg manage"
)
bad=0
for file in */*.[ch] */*/*.[ch]; do
    [ -e "$file" ] || continue
    layer=${file%%/*}
    while IFS= read -r target; do
        case " ${allowed[$layer]} " in *" ${target%%/*} "*) continue ;; esac
        case "$layer" in core|data|algo|metric|plot|model)
            case "$target" in cblas.h|lapacke.h|*/*) [ "${target%%/*}" = json-c ] && continue; [ "$target" != "${target%%/*}" ] || continue ;; *) continue ;; esac ;;
        esac
        echo "$file includes $target: not below layer $layer"; bad=1
    done < <(sed -n 's/^#include "\(.*\)"/\1/p' "$file" | grep / || true)
    case "$layer" in core|data|algo|metric|plot|model)
        grep -nE '#include *["<](postgres|fmgr|utils/|access/|catalog/|executor/|nodes/|libpq|miscadmin)' "$file" | sed "s|^|$file: PostgreSQL header: |" && grep -qE '#include *["<](postgres\.h|fmgr\.h|utils/|access/|catalog/|executor/|nodes/)' "$file" && bad=1
        ;;
    esac
done
# Static data that is neither const nor thread-local to nothing: pure code has no global state.
for object in core data algo metric plot model; do
    for file in $(ls $object/*.o $object/*/*.o 2>/dev/null); do
        nm "$file" | awk -v f="$file" '$2 ~ /^[bBdDC]$/ && $3 !~ /^(\.|__|_GLOBAL)/ && $3 !~ /\.(resolver|ifunc)/ {print f ": state that changes: " $3; e = 1} END {exit e}' || bad=1
    done
done
[ $bad -eq 0 ] && echo "layers: the rule holds"
exit $bad
