"""`manage.py seed_demo`, as a reader runs it: a process of its own in a data folder of its own."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

MANAGE = Path(__file__).resolve().parent.parent.parent / "example_project" / "manage.py"

KNOWS_KEYS = """
import json
from automate_api.services.api_keys import authenticate_key
for key in json.load(open({path!r})):
    found = authenticate_key(key)
    print(found.user.username, found.tenant_id, *found.scopes)
"""


@pytest.fixture
def manage(tmp_path):
    """Run a command of the example host in an empty data folder."""

    def run(*args, check=True):
        environment = {key: value for key, value in os.environ.items() if key not in {"DATABASE_URL", "REDIS_URL"}}
        return subprocess.run(
            [sys.executable, MANAGE, *args],
            cwd=tmp_path,
            env={**environment, "DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "example_project.settings"},
            capture_output=True,
            text=True,
            check=check,
        )

    return run


@pytest.fixture
def seeded(manage):
    """What a first `seed_demo --json` prints."""
    manage("migrate", "--verbosity", "0")
    return manage("seed_demo", "--json").stdout


def test_prints_one_line_of_json_with_two_tenants_of_three_users(seeded):
    assert seeded.count("\n") == 1
    tenants = json.loads(seeded)["tenants"]
    assert [tenant["id"] for tenant in tenants] == ["acme", "globex"]
    for tenant in tenants:
        assert [(user["username"], user["is_staff"]) for user in tenant["users"]] == [
            (f"{tenant['id']}-staff", True),
            (f"{tenant['id']}-ann", False),
            (f"{tenant['id']}-bob", False),
        ]
        for user in tenant["users"]:
            assert set(user) == {"id", "username", "password", "is_staff", "api_key_id", "api_key"}


def test_each_run_issues_further_keys_and_all_of_them_work(manage, seeded, tmp_path):
    with ThreadPoolExecutor() as pool:  # two more, side by side
        further = [run.stdout for run in pool.map(lambda _: manage("seed_demo", "--json"), range(2))]
    users = [user for line in [seeded, *further] for tenant in json.loads(line)["tenants"] for user in tenant["users"]]
    assert len({user["api_key"] for user in users}) == len({user["api_key_id"] for user in users}) == 18
    assert len({(user["id"], user["username"], user["password"]) for user in users}) == 6
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps([user["api_key"] for user in users]))
    known = manage("shell", "--verbosity", "0", "-c", KNOWS_KEYS.format(path=str(keys))).stdout.splitlines()
    assert known == [f"{user['username']} {user['username'].split('-')[0]} *" for user in users]


def test_an_unmigrated_database_is_an_error_that_names_the_remedy(manage):
    ran = manage("seed_demo", "--json", check=False)
    assert ran.returncode == 1
    assert ran.stdout == ""
    assert "Run `migrate` first." in ran.stderr
    assert "Traceback" not in ran.stderr
