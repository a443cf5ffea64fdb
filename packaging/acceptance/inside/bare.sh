# Run once in a new root file system, by images.py: a system without a network, and without this machine's settings of apt.
rm -f /etc/apt/sources.list /etc/apt/apt.conf.d/99mmdebstrap /etc/dpkg/dpkg.cfg.d/99mmdebstrap /etc/resolv.conf
: > /etc/machine-id
echo vm > /etc/hostname
printf '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n' > /etc/hosts
