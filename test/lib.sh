# lib.sh: what the test scripts share: packages, a private installation, throw-away clusters.
#
# Nothing outside one temporary directory is touched. The server's files are copied into a private
# prefix (PostgreSQL finds its files relative to its program), so that neither an installed mlplat
# nor a running cluster matters; mlplat is built in a copy of the sources, so that the checkout stays
# as it is and may be read-only, owned by someone else, or have spaces in its path. Clusters listen
# on a Unix socket in that directory only. Everything is stopped and removed at exit, whatever
# happens. As root, servers run as user postgres.

set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=         # the temporary directory
small_disk=   # a file system with little room, where one could be had
keep_cluster= # not empty: stop the clusters at exit, but keep the directory
starting=     # the data directory of a server that is about to start
cleaned=
umask 022
export LC_ALL=C.UTF-8
# The caller's settings for psql and libpq are not for us.
for setting in $(compgen -e PG); do [ "$setting" = PG_CONFIG ] || unset "$setting"; done

say() { printf '%s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# ---- packages

base_packages=(gcc make libc6-dev libopenblas-dev zlib1g-dev libcurl4-openssl-dev)
# A server that the caller names is there already.
[ -n "${PG_CONFIG:-}" ] || base_packages+=(postgresql postgresql-server-dev-all)

# missing_packages PACKAGE...: those that are not installed, one a line.
missing_packages() {
    command -v dpkg-query >/dev/null 2>&1 || return 0
    local package
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' ||
            printf '%s\n' "$package"
    done
}

# install_packages PACKAGE...: as root. No cluster is made and started for us by the server package.
install_packages() {
    local log status=0 settings=/etc/postgresql-common/createcluster.conf ours=
    say "installing packages: $*"
    log=$(mktemp)
    if [ ! -e "$settings" ]; then
        ours=1
        mkdir -p "${settings%/*}"
        printf 'create_main_cluster = false\n' >"$settings"
    fi
    {
        apt-get update || true
        DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
    } >"$log" 2>&1 </dev/null || status=$?
    [ -z "$ours" ] || rm -f "$settings"
    [ "$status" -eq 0 ] || tail -n 20 "$log" >&2
    rm -f "$log"
    return "$status"
}

# need_packages PACKAGE...: install what is missing as root; otherwise print the one line and stop.
need_packages() {
    local missing
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -eq 0 ] && return 0
    if [ "$(id -u)" -ne 0 ]; then
        say "These packages are missing. Install them, then run this again:"
        say "    sudo apt-get install -y --no-install-recommends ${missing[*]}"
        exit 1
    fi
    install_packages "${missing[@]}" || die "could not install the packages"
}

# want_packages PACKAGE...: the same, but what cannot be had is done without.
want_packages() {
    local missing package known=()
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -eq 0 ] && return 0
    if [ "$(id -u)" -ne 0 ]; then
        say "Some tests will be skipped. To run them as well, install:"
        say "    sudo apt-get install -y --no-install-recommends ${missing[*]}"
        return 0
    fi
    apt-get update >/dev/null 2>&1 </dev/null || true
    for package in "${missing[@]}"; do
        apt-cache show "$package" >/dev/null 2>&1 && known+=("$package")
    done
    [ ${#known[@]} -eq 0 ] || install_packages "${known[@]}" || say "going on without them"
}

# ---- the temporary directory

# as_user COMMAND...: run it as the unprivileged user that owns the clusters.
as_user() {
    if [ "$(id -u)" -eq 0 ]; then
        runuser -u "$cluster_user" -- env HOME="$work" "PATH=$PATH" "$@"
    else
        "$@"
    fi
}

# Stop every server that runs below the directory, and remove the directory.
clean_up() {
    [ -z "$cleaned" ] || return 0
    cleaned=1
    trap '' INT TERM HUP
    [ -n "$work" ] || return 0
    # A server that was interrupted while starting writes its pid file within moments, or ends.
    [ -z "$starting" ] || [ -e "$starting/postmaster.pid" ] || sleep 1
    local pid_file
    find "$work" -name postmaster.pid 2>/dev/null | while IFS= read -r pid_file; do
        as_user "$bin/pg_ctl" -D "${pid_file%/*}" -m immediate -w stop >/dev/null 2>&1 || true
    done
    ! mountpoint -q "$work/small" || umount "$work/small" || true
    [ -n "$keep_cluster" ] || rm -rf "$work" || true
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# make_work: the temporary directory, where make can cope with its path and a socket's path fits.
make_work() {
    [ -z "$work" ] || return 0
    local base=${TMPDIR:-/tmp}
    cluster_user=$(id -un)
    if [ "$(id -u)" -eq 0 ]; then
        cluster_user=postgres
        id postgres >/dev/null 2>&1 || cluster_user=nobody
    fi
    case $base in *[[:space:]]*) base=/tmp ;; esac
    [ ${#base} -le 60 ] || base=/tmp
    as_user test -x "$base" || base=/tmp
    work=$(mktemp -d "$base/mlplat.XXXXXX")
    chmod 755 "$work"
    export TMPDIR=$base
}

# make_small_disk: a file system of 16 MB that the cluster's user owns, if we are root and may mount one.
make_small_disk() {
    [ "$(id -u)" -eq 0 ] && [ -z "$small_disk" ] || return 0
    mkdir "$work/small"
    ! mount -t tmpfs -o "size=16m,mode=700,uid=$(id -u "$cluster_user")" mlplat "$work/small" 2>/dev/null ||
        small_disk=$work/small
}

# ---- server and build

# Which PostgreSQL: $PG_CONFIG, else the newest Debian one with a server and headers, else pg_config on the path.
find_pg_config() {
    local config newest=
    if [ -n "${PG_CONFIG:-}" ]; then
        command -v "$PG_CONFIG" || true
        return
    fi
    while IFS= read -r config; do
        [ ! -x "${config%/*}/postgres" ] || newest=$config
    done < <(printf '%s\n' /usr/lib/postgresql/*/bin/pg_config | sort -V)
    if [ -x "$newest" ]; then printf '%s\n' "$newest"; else command -v pg_config || true; fi
}

# make_prefix: a private copy of the server. Sets bin and PG_CONFIG.
make_prefix() {
    local config bindir libdir sharedir headers root dir
    config=$(find_pg_config)
    [ -n "$config" ] || die "no pg_config found: install postgresql and postgresql-server-dev-all, or set PG_CONFIG"
    make_work
    bindir=$("$config" --bindir) libdir=$("$config" --pkglibdir)
    sharedir=$("$config" --sharedir) headers=$("$config" --includedir-server)
    [ -x "$bindir/initdb" ] || die "no server at $bindir: install postgresql, or set PG_CONFIG to another one"
    [ -e "$headers/postgres.h" ] || die "no headers at $headers: install postgresql-server-dev-all"
    # The deepest directory that holds all of them becomes $work/usr.
    root=$bindir
    for dir in "$libdir" "$sharedir" "$headers"; do
        while [ "${dir#"$root"/}" = "$dir" ]; do root=${root%/*}; done
    done
    [ -n "$root" ] || die "cannot copy the server at $bindir: its files have no directory in common"
    for dir in "$bindir" "$libdir" "$sharedir" "$headers"; do mkdir -p "$work/usr/${dir#"$root"/}"; done
    bin=$work/usr/${bindir#"$root"/}
    for dir in "$bindir"/{postgres,postmaster,initdb,psql,pgbench,createdb,dropdb,pg_*}; do
        [ ! -e "$dir" ] || cp -a "$dir" "$bin/"
    done
    cp -a "$libdir/." "$work/usr/${libdir#"$root"/}/"
    cp -a "$sharedir/." "$work/usr/${sharedir#"$root"/}/"
    cp -rs "$headers/." "$work/usr/${headers#"$root"/}/"
    find "$work/usr" \( -name 'mlplat.so' -o -name 'mlplat.control' -o -name 'mlplat--*.sql' \) -delete
    PG_CONFIG=$bin/pg_config
    export PG_CONFIG
    PATH=$bin:$PATH
}

# copy_source: the sources without what a build leaves behind, in $work/source.
copy_source() {
    [ ! -e "$work/source" ] || return 0
    mkdir "$work/source"
    tar -C "$here" --mode=a+rX,u+w --exclude=./.git --exclude=./build --exclude=./results \
        --exclude=./tmp_check --exclude='./mlplat--*.sql' --exclude='*.o' --exclude='*.so' \
        --exclude='*.bc' -cf - . | tar -C "$work/source" --no-same-owner -xf -
}

# build_and_install: from the copy into the private prefix. The output is in $work/build.log.
build_and_install() {
    copy_source
    make -s -C "$work/source" -j"$(nproc)" all >"$work/build.log" 2>&1 ||
        { tail -n 40 "$work/build.log"; die "the build failed"; }
    make -s -C "$work/source" install >>"$work/build.log" 2>&1 ||
        { tail -n 40 "$work/build.log"; die "the installation failed"; }
}

# start_cluster NAME [SETTING...]: initdb and start, Unix socket only. Sets PGHOST, PGPORT, PGUSER, PGDATABASE.
start_cluster() {
    local name=$1
    shift
    data=$work/$name
    sockets=$work/socket
    mkdir -p "$data" "$sockets"
    [ "$(id -u)" -ne 0 ] || chown "$cluster_user" "$data" "$sockets"
    as_user "$bin/initdb" -D "$data" -U postgres -A trust -E UTF8 --no-locale --no-sync >"$work/initdb.log" 2>&1 ||
        { cat "$work/initdb.log"; die "initdb failed"; }
    # The directory is ours alone, so a port is free when no other cluster of ours has it.
    PGPORT=5432
    while [ -e "$sockets/.s.PGSQL.$PGPORT" ]; do PGPORT=$((PGPORT + 1)); done
    {
        echo "listen_addresses = ''"
        echo "unix_socket_directories = '$sockets'"
        echo "port = $PGPORT"
        echo "fsync = off"
        echo "shared_buffers = 256MB"
        echo "max_wal_size = 4GB"
        [ $# -eq 0 ] || printf '%s\n' "$@"
    } >>"$data/postgresql.conf"
    starting=$data
    as_user "$bin/pg_ctl" -D "$data" -l "$data/server.log" -w start >/dev/null ||
        { tail -n 20 "$data/server.log"; die "the server did not start"; }
    starting=
    PGHOST=$sockets PGUSER=postgres PGDATABASE=postgres
    export PGHOST PGPORT PGUSER PGDATABASE
}
