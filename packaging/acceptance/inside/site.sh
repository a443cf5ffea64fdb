# Run once in a booted machine, by site.py: a Mastodon server with its neighbours. ROOT is where its tree is to be.
set -euo pipefail
exec > /opt/site/log 2>&1

cd /tmp # postgres may not look into root's home
runuser -u postgres -- createuser mastodon
runuser -u postgres -- createdb --owner=mastodon mastodon_production
runuser -u mastodon -- psql --quiet -v ON_ERROR_STOP=1 mastodon_production < /opt/site/mastodon.sql

# The tree: one commit and one tag for each release.
install -d -o mastodon -g mastodon -m 0755 "$ROOT"
cp -r /opt/site/tags /tmp/tags
runuser -u mastodon -- env ROOT="$ROOT" bash -eu <<'TREE'
cd "$ROOT"
git init --quiet
git remote add origin .
git config user.name mastodon
git config user.email mastodon@social.example
for tag in $(ls /tmp/tags | sort --version-sort); do
  cp -r "/tmp/tags/$tag/." .
  echo "$tag" > CHANGELOG.md
  git add --all
  git commit --quiet --message "$tag"
  git tag "$tag"
done
git checkout --quiet v4.5.19
TREE
install -o mastodon -g mastodon -m 0640 /opt/site/env.production "$ROOT/.env.production"

sed -i "s#/home/mastodon/live#$ROOT#" /etc/systemd/system/mastodon-*.service
systemctl daemon-reload
systemctl enable --now update-server mastodon-web mastodon-sidekiq mastodon-streaming
