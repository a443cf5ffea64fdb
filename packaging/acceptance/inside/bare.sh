# Run once in a new root file system, by images.py: a system without a network, without this machine's settings of apt,
# and without /etc/hosts. Arguments: packages that an ordinary user can download, with what they need; they are not
# installed. apt finds them in /opt/packages.
mkdir /opt/packages
cd /opt/packages
apt-get --simulate install --no-install-recommends "$@" | awk '/^Inst/ { print $2 }' |
  xargs apt-get -qq -o APT::Sandbox::User=root download
for package in *.deb; do
  dpkg-deb --field "$package"
  printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$package" "$(stat --format=%s "$package")" "$(sha256sum "$package" | cut -c-64)"
done > Packages
cd /

rm -f /etc/apt/sources.list /etc/apt/apt.conf.d/99mmdebstrap /etc/dpkg/dpkg.cfg.d/99mmdebstrap /etc/resolv.conf /etc/hosts
: > /etc/machine-id
echo vm > /etc/hostname
echo 'deb [trusted=yes] file:/opt/packages ./' > /etc/apt/sources.list
