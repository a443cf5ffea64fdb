"""The container's parts agree with each other and with Mastodon's own compose file."""

import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import yaml

CONTAINER = Path(__file__).parents[2] / "packaging" / "container"
STATE = "/var/lib/mastodon-update-check"
MASTODON = """
services:
  db:
    image: postgres:14-alpine
    networks: [internal_network]
    volumes: ["./postgres14:/var/lib/postgresql/data"]
  redis:
    image: redis:7-alpine
    networks: [internal_network]
  web:
    env_file: .env.production
    networks: [external_network, internal_network]
    ports: ["127.0.0.1:3000:3000"]
    depends_on: [db, redis]
  streaming:
    env_file: .env.production
    networks: [external_network, internal_network]
    ports: ["127.0.0.1:4000:4000"]
  sidekiq:
    env_file: .env.production
    networks: [external_network, internal_network]
networks:
  external_network:
  internal_network:
    internal: true
"""
"""What there is in Mastodon's own file, by the names that it has there."""


def test_compose() -> None:
    """With Mastodon's containers: both networks, its settings, a volume for the ledger, nothing else writable."""
    document = yaml.safe_load((CONTAINER / "compose.yaml").read_text())
    service = document["services"]["mastodon-update-check"]
    assert set(service["networks"]) == {"internal_network", "external_network"}
    assert service["env_file"] == ".env.production"
    (volume,) = service["volumes"]
    assert (volume, volume.partition(":")[0] in document["volumes"]) == (f"mastodon-update-check:{STATE}", True)
    assert service["healthcheck"]["test"] == ["CMD", "mastodon-update-check", "status", "--alive"]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["restart"] in {"always", "unless-stopped"}  # `on-failure` does not come back after a reboot
    assert service["environment"]["UPDATE_CHECK_URL"], "a blank one of Mastodon's must not switch checking off"


def test_compose_merged() -> None:
    """Merged with Mastodon's file nothing of that is changed, and all that the service refers to is there, in reach."""
    theirs, ours = yaml.safe_load(MASTODON), yaml.safe_load((CONTAINER / "compose.yaml").read_text())
    for section in theirs:
        assert theirs[section].keys().isdisjoint(ours.get(section) or {}), f"a merge would change {section}"
    services, networks = theirs["services"], theirs["networks"]
    (service,) = ours["services"].values()
    assert services["web"]["env_file"] == service["env_file"]
    assert set(service["depends_on"]) <= services.keys()
    assert set(service["networks"]) <= networks.keys()
    web = urlsplit(service["environment"]["UPDATE_CHECK_INSTANCE_URL"])
    assert f"127.0.0.1:3000:{web.port}" in services[web.hostname]["ports"]
    for needed in ("db", web.hostname):
        assert set(services[needed]["networks"]) & set(service["networks"])
    assert [name for name in service["networks"] if not (networks[name] or {}).get("internal")], "no way out"


def test_refuses_to_forget() -> None:
    """Without a volume it does not run, and says why and what to do; with another ledger none is needed."""

    def start(**variables: str) -> subprocess.CompletedProcess[str]:
        command, environment = (
            ["sh", str(CONTAINER / "start"), "check", "--help"],
            {"PATH": "/usr/bin:/bin", **variables},
        )
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    refused = start()
    assert refused.returncode == 78
    assert f"no volume at {STATE}" in refused.stderr
    for name in ("UPDATE_CHECK_LEDGER", "UPDATE_CHECK_LEDGER_FILE"):  # the second holds the password, as a secret
        assert "no volume" not in start(**{name: "/run/secrets/ledger"}).stderr
