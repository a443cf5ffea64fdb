# Run once in a booted machine, after site.sh: a second Mastodon where YunoHost would put it, 4.6.9 of second.example.
set -euo pipefail

cd /tmp # postgres may not look into root's home
runuser -u postgres -- createdb --owner=mastodon mastodon_second
runuser -u mastodon -- psql --quiet -v ON_ERROR_STOP=1 mastodon_second < /opt/site/mastodon.sql
mkdir "${TREE%/live}"
cp --archive /home/mastodon/live "$TREE"
runuser -u mastodon -- git -C "$TREE" checkout --quiet v4.6.9
sed -i 's/^LOCAL_DOMAIN=.*/LOCAL_DOMAIN=second.example/; s/^DB_NAME=.*/DB_NAME=mastodon_second/' "$TREE/.env.production"
sed "s#/home/mastodon/live#$TREE#; s/PORT=3000/PORT=3001/" /etc/systemd/system/mastodon-web.service \
  > /etc/systemd/system/mastodon__2-web.service
systemctl daemon-reload
systemctl enable --now mastodon__2-web
