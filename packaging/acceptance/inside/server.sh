# Run once in a new root file system, by images.py: what does not depend on the scenario. Arguments: packages whose
# units are to be unpacked under /opt/compared.
export DEBIAN_FRONTEND=noninteractive

mkdir -p /opt/compared/debs
cd /opt/compared/debs
apt-get -qq -o APT::Sandbox::User=root download "$@"
for deb in *.deb; do dpkg-deb --extract "$deb" /opt/compared; done
cd /
rm -r /opt/compared/debs

# The host's settings and mirrors of apt were for the making; the system has no network.
rm -f /etc/apt/sources.list /etc/apt/apt.conf.d/99mmdebstrap /etc/dpkg/dpkg.cfg.d/99mmdebstrap /etc/resolv.conf
: > /etc/machine-id
echo vm > /etc/hostname
cat > /etc/hosts <<'HOSTS'
127.0.0.1 localhost
127.0.0.1 social.example mail.social.example api.joinmastodon.org packages.example.org
HOSTS

# One certificate authority for everybody; the update server is reached by its real name.
mkdir -p /opt/site/tls
cd /opt/site/tls
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj "/CN=acceptance" \
  -addext keyUsage=critical,keyCertSign,cRLSign -keyout ca.key -out ca.crt 2> /dev/null
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=social.example" \
  -keyout site.key -out site.csr 2> /dev/null
printf '%s' "subjectAltName=DNS:social.example,DNS:mail.social.example,DNS:api.joinmastodon.org,DNS:packages.example.org,DNS:localhost" > names
openssl x509 -req -in site.csr -CA ca.crt -CAkey ca.key -days 36500 -extfile names -out site.crt 2> /dev/null
install -m 0644 ca.crt /usr/local/share/ca-certificates/acceptance.crt
update-ca-certificates > /dev/null 2>&1
cd /

useradd --create-home --shell /bin/bash mastodon
chmod 0711 /home/mastodon # nginx must get through
useradd --create-home --shell /bin/bash somebody
echo "not for you" > /home/somebody/private
chmod 0600 /home/somebody/private

# Services of the machine on which this image was made.
sed -i 's/^port = .*/port = 5432/' /etc/postgresql/*/main/postgresql.conf

# Postfix: mail for social.example and elsewhere.example ends in one mailbox; the submission port wants a password.
useradd --system --uid 500 --home-dir /var/mail/everybody vmail
mkdir -p /var/mail/everybody
chown vmail: /var/mail/everybody
postconf -e myhostname=mail.social.example mydestination=localhost inet_interfaces=loopback-only \
  inet_protocols=ipv4 virtual_mailbox_domains=social.example,elsewhere.example virtual_mailbox_base=/var/mail \
  virtual_mailbox_maps=static:everybody/ virtual_uid_maps=static:500 virtual_gid_maps=static:500 \
  smtpd_tls_cert_file=/opt/site/tls/site.crt smtpd_tls_key_file=/opt/site/tls/site.key smtpd_tls_security_level=may \
  virtual_minimum_uid=100 smtpd_sasl_path=smtpd maillog_file=
postconf -M "submission/inet=submission inet n - n - - smtpd"
postconf -P "submission/inet/smtpd_sasl_auth_enable=yes" "submission/inet/smtpd_tls_security_level=encrypt" \
  "submission/inet/smtpd_client_restrictions=permit_sasl_authenticated,reject"
cat > /etc/postfix/sasl/smtpd.conf <<'SASL'
pwcheck_method: auxprop
auxprop_plugin: sasldb
mech_list: PLAIN LOGIN
SASL

cat > /etc/nginx/sites-available/default <<'NGINX'
ssl_certificate /opt/site/tls/site.crt;
ssl_certificate_key /opt/site/tls/site.key;
server {
  listen 127.0.0.1:443 ssl;
  server_name social.example;
  location / { proxy_pass http://127.0.0.1:3000; proxy_set_header Host $host; }
}
server {
  listen 127.0.0.1:443 ssl;
  server_name api.joinmastodon.org;
  location / { proxy_pass http://127.0.0.1:8099; }
}
server {
  listen 127.0.0.1:443 ssl;
  server_name packages.example.org;
  root /srv/packages;
}
NGINX
echo 'correct horse battery' | saslpasswd2 -p -c -u social.example notifications
chgrp sasl /etc/sasldb2
chmod 0640 /etc/sasldb2
usermod --append --groups sasl postfix
postconf -e smtpd_sasl_local_domain=social.example
