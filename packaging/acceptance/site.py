"""A Mastodon server and its neighbours in one machine: PostgreSQL, Postfix, nginx, the update server."""

from pathlib import Path

from acceptance.feed import UpdateServer
from acceptance.machine import Machine
from acceptance.mailbox import Mailbox
from simulators.mastodon_people import PEOPLE
from simulators.mastodon_schema import people, schema
from simulators.mastodon_tree import configured, settings, write_tree

INSIDE = Path(__file__).parent / "inside"
SCHEMA = "4.4"
"""The age of the database: that of 4.4 and 4.5."""
TAGS = ("4.5.19", "4.5.20", "4.6.9", "4.7.6")
PASSWORD = "correct horse battery"  # noqa: S105 - of a mail server in a container
ENV_PRODUCTION = f"""# Made by the setup of Mastodon
LOCAL_DOMAIN=social.example
SINGLE_USER_MODE=false
SECRET_KEY_BASE=never-leaves-this-file
OTP_SECRET=never-leaves-this-file-either
DB_HOST=/var/run/postgresql
DB_PORT=5432
DB_NAME=mastodon_production
DB_USER=mastodon
DB_PASS=
SMTP_SERVER=mail.social.example
SMTP_PORT=587
SMTP_LOGIN=notifications
SMTP_PASSWORD='{PASSWORD}'
SMTP_AUTH_METHOD=plain
SMTP_FROM_ADDRESS='Mastodon <notifications@social.example>'
"""


class Site:
    """A host before this program is installed, and the changes that an administrator makes there."""

    def __init__(self, machine: Machine, root: str = "/home/mastodon/live") -> None:
        self.machine = machine
        self.root = root
        self.mailbox = Mailbox(machine)
        self.update_server = UpdateServer(machine)
        self._copy_in()
        machine.shell(f"ROOT={root} bash /opt/site/site.sh || {{ cat /opt/site/log; false; }}")

    @property
    def devops(self) -> list[str]:
        """The addresses of the users who get every urgent notice, by Mastodon's database."""
        notified = (person for person in PEOPLE if person.expected == "views_devops" and person.is_in(SCHEMA))
        return sorted(f"{person.name}@social.example" for person in notified)

    def checkout(self, version: str) -> None:
        """Check out another release, as an administrator does before the restart."""
        self.machine.shell(f"cd {self.root} && runuser -u mastodon -- git checkout --quiet v{version}")

    def set_mail_password(self, password: str) -> None:
        """Change the password that the mail server expects."""
        self.machine.shell(f"saslpasswd2 -p -c -u social.example notifications <<< '{password}'")

    def change_env(self, old: str, new: str) -> None:
        """Edit Mastodon's settings, as its user does."""
        self.machine.shell(f"grep -qF '{old}' {self.root}/.env.production")
        self.machine.shell(f"runuser -u mastodon -- sed -i 's/{old}/{new}/' {self.root}/.env.production")

    def _copy_in(self) -> None:
        for script in INSIDE.glob("*.*"):
            self.machine.write(f"/opt/site/{script.name}", script.read_text())
        for unit in (INSIDE / "units").iterdir():
            self.machine.write(f"/etc/systemd/system/{unit.name}", unit.read_text())
        for tag in TAGS:
            write_tree(self.machine.root / f"opt/site/tags/v{tag}", configured(tag), settings(""))
        self.machine.write("/opt/site/mastodon.sql", f"{schema(SCHEMA)};\n{people(SCHEMA).as_string()};\n", 0o644)
        self.machine.write("/opt/site/env.production", ENV_PRODUCTION)
