#!/bin/sh
# Tries the commands of docs/one-box.md, read from that page, on a copy of this Debian machine: an
# overlay in memory that vanishes at the end, with every process in it. It needs root. It installs
# the last commit of this checkout. docs/one-box.md says what cannot be tried without systemd.
set -eu
checkout=$(cd "$(dirname "$0")/.." && pwd)
if [ "${1:-}" != inside ]; then
    [ "$(id -u)" = 0 ] || { echo "one-box-check: needs root" >&2; exit 1; }
    exec unshare --mount --pid --fork --kill-child "$0" inside
fi

copy=$(mktemp -d)
trap 'umount --lazy "$copy" && rmdir "$copy"' EXIT
mount -t tmpfs tmpfs "$copy"
mkdir "$copy/upper" "$copy/work" "$copy/root"
root=$copy/root
mount -t overlay -o "lowerdir=/,upperdir=$copy/upper,workdir=$copy/work" overlay "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp"
mount -t tmpfs tmpfs "$root/run"
printf '#!/bin/sh\nexec /usr/bin/python3 %s/ops/one_box/systemctl.py "$@"\n' "$checkout" > "$root/usr/local/sbin/systemctl"
# Installing a package must not start it here: this is what Debian asks before it does.
printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/local/sbin/systemctl" "$root/usr/sbin/policy-rc.d"

# The blocks of commands that the page marks as `sh`.
awk -v folder="$root/tmp" '
    /^```sh$/ { number += 1; inside = 1; next }
    /^```$/ { inside = 0 }
    inside { print > (folder "/block-" number) }
' "$checkout/docs/one-box.md"
commands=$(cat "$root/tmp/block-1" "$root/tmp/block-2" | grep -vc '^HOST=')
[ "$commands" = 10 ] || { echo "one-box-check: the page has $commands commands, not 10" >&2; exit 1; }

within() {
    env --unset=PYTHONPATH --unset=VIRTUAL_ENV HOME=/root \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        GIT_CONFIG_COUNT=2 \
        GIT_CONFIG_KEY_0="url.file://$checkout.insteadOf" \
        GIT_CONFIG_VALUE_0=https://github.com/example/newsintel \
        GIT_CONFIG_KEY_1=safe.directory GIT_CONFIG_VALUE_1='*' \
        chroot "$root" "$@"
}

echo "one-box-check: the install"
within sh -euxc '. /tmp/block-1'

cat > "$root/tmp/start" <<'END'
set -eux
cd /usr/local/src/newsintel
HOST=news.example.org
systemctl start postgresql # Debian's package has done so
. /tmp/block-2
ask() { curl --silent --show-error --fail-with-body --cacert /etc/newsintel/tls/fullchain.pem --resolve "$HOST:443:127.0.0.1" "https://$HOST$1"; }
for _ in $(seq 60); do ask /health && break || sleep 1; done
sleep 3
ask /health/ready | grep '"ready"'
ask '/articles?q=news' | grep '"origin":"archive"'
[ "$(curl --silent --output /dev/null --write-out '%{http_code} %{redirect_url}' --header "Host: $HOST" http://127.0.0.1/archive)" = "301 https://$HOST/archive" ]
runuser -u newsintel -- sh -c 'set -a; . /etc/newsintel/newsintel.env; exec /opt/newsintel/bin/newsintel backup -' > /tmp/backup
pg_restore --list /tmp/backup | grep -q alembic_version
END
echo "one-box-check: the start, in a network of its own"
unshare --net sh -euc '/usr/bin/python3 -c "
import fcntl, socket, struct
with socket.socket() as probe:  # up: SIOCSIFFLAGS with IFF_UP (netdevice(7))
    fcntl.ioctl(probe, 0x8914, struct.pack(\"16sh\", b\"lo\", 1))
"; exec "$@"' sh env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin chroot "$root" sh /tmp/start || {
    tail -n 20 "$root/var/log/newsintel.log" "$root/var/log/nginx/error.log" >&2
    exit 1
}
echo "one-box-check: all ten commands work"
