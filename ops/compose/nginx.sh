#!/bin/sh
# Starts nginx with newsintel's configuration and TLS, for $HOST. /newsintel/nginx is ops/nginx.
set -eu
from=/newsintel/nginx to=/etc/nginx
mkdir -p "$to/snippets"
cp "$from/tls.conf" "$to/snippets/newsintel-tls.conf"
sed "s/news.example.org/$HOST/" "$from/redirect.conf" > "$to/conf.d/default.conf"
sed "s/news.example.org/$HOST/; s|listen 80;|listen 443 ssl; include snippets/newsintel-tls.conf;|" \
    "$from/newsintel.conf" > "$to/conf.d/newsintel.conf"
exec nginx -g 'daemon off;'
