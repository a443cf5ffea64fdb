"""The container's parts agree with each other and with Mastodon's own compose file."""

import subprocess
from pathlib import Path

import yaml

CONTAINER = Path(__file__).parents[2] / "packaging" / "container"
STATE = "/var/lib/mastodon-update-check"


def test_compose() -> None:
    """Beside Mastodon's containers: both networks, its settings, a volume for the ledger, nothing else to write to."""
    document = yaml.safe_load((CONTAINER / "compose.yaml").read_text())
    service = document["services"]["mastodon-update-check"]
    assert {"internal_network", "external_network"} == set(service["networks"])
    assert ".env.production" == service["env_file"]
    (volume,) = service["volumes"]
    assert (f"mastodon-update-check:{STATE}", True) == (volume, volume.partition(":")[0] in document["volumes"])
    assert ["CMD", "mastodon-update-check", "status", "--alive"] == service["healthcheck"]["test"]
    assert (True, ["ALL"]) == (service["read_only"], service["cap_drop"])
    assert service["environment"]["UPDATE_CHECK_URL"], "a blank one of Mastodon's must not switch checking off"


def test_refuses_to_forget() -> None:
    """Without a volume it does not run, and says why and what to do; with another ledger none is needed."""

    def start(**variables: str) -> subprocess.CompletedProcess[str]:
        command, environment = (
            ["sh", str(CONTAINER / "start"), "check", "--help"],
            {"PATH": "/usr/bin:/bin", **variables},
        )
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    refused = start()
    assert 78 == refused.returncode
    assert f"no volume at {STATE}" in refused.stderr
    for name in ("UPDATE_CHECK_LEDGER", "UPDATE_CHECK_LEDGER_FILE"):  # the second holds the password, as a secret
        assert "no volume" not in start(**{name: "/run/secrets/ledger"}).stderr
