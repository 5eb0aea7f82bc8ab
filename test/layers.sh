#!/usr/bin/env bash
# The layer rule: module folders -> pg -> model -> algo -> data -> core, with metric and plot on core alone
# (model and pg may use them). Pure folders include no PostgreSQL header and keep no state that changes.
cd "$(dirname "$0")/../src" || exit 1
pure="core data algo metric plot model"
declare -A allowed=(
    [core]="core" [data]="core data" [algo]="core data algo" [metric]="core metric" [plot]="core plot"
    [model]="core data algo metric model" [pg]="$pure pg"
)
for module in source prepare train serve analyze manage; do allowed[$module]="$pure pg $module"; done
bad=0
for file in */*.[ch] */*/*.[ch]; do
    [ -e "$file" ] || continue
    layer=${file%%/*}
    while IFS= read -r target; do
        if [ -e "$target" ]; then
            case " ${allowed[$layer]} " in *" ${target%%/*} "*) continue ;; esac
            echo "src/$file includes $target: not below layer $layer"; bad=1
        elif [[ " $pure " == *" $layer "* && $target =~ ^(postgres|fmgr|funcapi|miscadmin|access/|catalog/|executor/|nodes/|utils/|libpq) ]]; then
            echo "src/$file includes $target: a PostgreSQL header in pure code"; bad=1
        fi
    done < <(sed -n 's/^#include ["<]\(.*\)[">].*/\1/p' "$file")
done
for layer in $pure; do
    for object in "$layer"/*.o "$layer"/*/*.o; do
        [ -e "$object" ] || continue
        # A constant table of pointers is relocated data: it changes while loading, and never again.
        nm -f sysv "$object" | tr -d ' ' | awk -F'|' -v f="src/$object" '
            $3 ~ /^[bBdDC]$/ && $7 !~ /^\.data\.rel\.ro/ && $1 !~ /^(\.|__|_GLOBAL)/ {
                print f ": state that changes: " $1; e = 1
            }
            END {exit e}' || bad=1
    done
done
[ $bad -eq 0 ] && echo "layers: the rule holds"
exit $bad
