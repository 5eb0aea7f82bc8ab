# lib.sh: what the test scripts share: packages, a private installation, a throw-away cluster.
#
# Nothing outside a temporary directory is touched: the server's files are copied into a private
# prefix (PostgreSQL finds its files relative to its program), so that neither an installed mlplat
# nor a running cluster matters. Source it; everything made is removed at exit, whatever happens.

set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=
keep_cluster=
cleaned=

say() { printf '%s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# Which PostgreSQL: $PG_CONFIG, else the newest Debian one, else pg_config on the path.
find_pg_config() {
    if [ -n "${PG_CONFIG:-}" ]; then printf '%s\n' "$PG_CONFIG"; return; fi
    local newest
    newest=$(ls -d /usr/lib/postgresql/*/bin/pg_config 2>/dev/null | sort -V | tail -n 1)
    printf '%s\n' "${newest:-$(command -v pg_config || true)}"
}

# need_packages PACKAGE...: install what is missing as root; otherwise print the one line and stop.
need_packages() {
    command -v dpkg-query >/dev/null 2>&1 || return 0
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    if [ "$(id -u)" -ne 0 ]; then
        say "These packages are missing. Install them, then run this again:"
        say "    sudo apt-get install -y ${missing[*]}"
        exit 1
    fi
    say "installing packages: ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    # No cluster is to be made for us by the server package.
    if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        mkdir -p /etc/postgresql-common
        printf 'create_main_cluster = false\n' >/etc/postgresql-common/createcluster.conf
    fi
    (apt-get update && apt-get install -y --no-install-recommends "${missing[@]}") >/tmp/mlplat-apt.$$ 2>&1 ||
        { tail -n 20 /tmp/mlplat-apt.$$; die "could not install the packages"; }
    rm -f /tmp/mlplat-apt.$$
}

base_packages=(gcc make libc6-dev postgresql-server-dev-all libopenblas-dev libjson-c-dev zlib1g-dev postgresql)

# Run a command as the unprivileged user that owns the cluster.
as_user() {
    if [ "$(id -u)" -eq 0 ]; then
        runuser -u "$cluster_user" -- env HOME="$work" PATH="$PATH" "$@"
    else
        "$@"
    fi
}

clean_up() {
    [ -n "$cleaned" ] && return
    cleaned=1
    trap '' INT TERM
    if [ -n "$work" ]; then
        local data
        for data in "$work"/*/postmaster.pid; do
            [ -e "$data" ] && as_user "$bin/pg_ctl" -D "${data%/postmaster.pid}" -m immediate -w stop >/dev/null 2>&1 || true
        done
        [ -n "$keep_cluster" ] || rm -rf "$work"
    fi
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# make_prefix: a private copy of the server, mlplat built and installed into it. Sets bin and PG_CONFIG.
make_prefix() {
    local config root rel
    config=$(find_pg_config)
    [ -x "$config" ] || die "no pg_config found: install postgresql and postgresql-server-dev-all, or set PG_CONFIG"
    work=$(mktemp -d "${TMPDIR:-/tmp}/mlplat.XXXXXX")
    chmod 755 "$work"
    cluster_user=$(id -un)
    if [ "$(id -u)" -eq 0 ]; then
        cluster_user=postgres
        id postgres >/dev/null 2>&1 || cluster_user=nobody
    fi
    root=$("$config" --bindir); root=${root%/lib/postgresql/*}
    rel=$("$config" --bindir); rel=${rel#"$root"/}
    [ "$rel" != "$root" ] && [ "$root/$rel" = "$("$config" --bindir)" ] || die "cannot copy the server at $("$config" --bindir)"
    mkdir -p "$work/usr/$(dirname "$rel")" "$work/usr/share/postgresql" "$work/usr/include"
    cp -a "$root/$(dirname "$rel")/." "$work/usr/$(dirname "$rel")/"
    cp -a "$("$config" --sharedir)" "$work/usr/share/postgresql/"
    rm -f "$work/usr/$(dirname "$rel")/lib/mlplat.so" "$work"/usr/share/postgresql/*/extension/mlplat*
    ln -s "$root/include/postgresql" "$work/usr/include/postgresql"
    bin=$work/usr/$rel
    PG_CONFIG=$bin/pg_config
    export PG_CONFIG
    PATH=$bin:$PATH
}

# build_and_install: into the private prefix, from a build directory of its own so that the checkout stays clean.
build_and_install() {
    make -s -C "$here" -j"$(nproc)" PG_CONFIG="$PG_CONFIG" >"$work/build.log" 2>&1 ||
        { tail -n 40 "$work/build.log"; die "the build failed"; }
    make -s -C "$here" install PG_CONFIG="$PG_CONFIG" >>"$work/build.log" 2>&1 ||
        { tail -n 40 "$work/build.log"; die "the installation failed"; }
}

free_port() {
    local port
    for port in $(seq $((20000 + $$ % 20000)) 60000); do
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { printf '%s\n' "$port"; return; }
    done
}

# start_cluster NAME [SETTING...]: initdb and start, Unix socket only. Sets PGHOST, PGPORT, PGUSER.
start_cluster() {
    local name=$1; shift
    data=$work/$name
    sockets=$work/socket
    mkdir -p "$data" "$sockets"
    [ "$(id -u)" -eq 0 ] && chown "$cluster_user" "$work" "$data" "$sockets"
    as_user "$bin/initdb" -D "$data" -U postgres -A trust -E UTF8 --no-locale --no-sync >"$work/initdb.log" 2>&1 ||
        { cat "$work/initdb.log"; die "initdb failed"; }
    PGPORT=$(free_port)
    {
        echo "listen_addresses = ''"
        echo "unix_socket_directories = '$sockets'"
        echo "port = $PGPORT"
        echo "fsync = off"
        echo "shared_buffers = 256MB"
        echo "max_wal_size = 4GB"
        local setting
        for setting in "$@"; do echo "$setting"; done
    } >>"$data/postgresql.conf"
    as_user "$bin/pg_ctl" -D "$data" -l "$data/server.log" -w start >/dev/null ||
        { tail -n 20 "$data/server.log"; die "the server did not start"; }
    PGHOST=$sockets PGUSER=postgres PGDATABASE=postgres
    export PGHOST PGPORT PGUSER PGDATABASE
}
