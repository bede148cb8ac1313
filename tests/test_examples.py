"""The documented examples of subclassing, run as they are written."""

from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.permissions import IsAuthenticated
from rest_framework.test import APIClient
from rest_framework.views import APIView

from automate_api.models import Endpoint
from tests.factories import make_endpoint, make_user
from tests.hosts.examples.models import Note, Organization, Project
from tests.hosts.shop.people import basic_authorization, signed_in, with_key

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.hosts.examples.urls")]

APP = "https://app.example.com"


def make_project(name: str = "project", organization: Organization | None = None, *members: Any) -> Project:
    """A project, of an organization of its own unless given."""
    project = Project.objects.create(
        name=name, organization=organization or Organization.objects.create(name="an organization")
    )
    project.members.set(members)
    return project


def make_note(text: str = "note", *, active: bool = False) -> Note:
    return Note.objects.create(text=text, active=active, project=make_project())


def basic(user: Any = None) -> APIClient:
    """A client with a password, which plain views take."""
    return APIClient(HTTP_AUTHORIZATION=basic_authorization(user or make_user()))


# -- a permission that reads the path and the user -------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("suffix", ["/", ".json"])
def test_a_permission_reads_the_path_and_the_user(method: str, suffix: str) -> None:
    ann = make_user()
    mine, other = make_project("mine", None, ann), make_project("other")
    send = getattr(signed_in(user=ann), method)
    body = ({"text": "x"},) if method == "post" else ()
    done = send(f"/projects/{mine.pk}/notes{suffix}", *body, format="json")
    assert done.status_code == (201 if body else 200)
    assert send(f"/projects/{other.pk}/notes{suffix}", *body, format="json").status_code == 403
    assert send(f"/projects/{other.pk + 1}/notes{suffix}", *body, format="json").status_code == 403
    assert not other.note_set.exists()


@pytest.mark.parametrize(("path", "status"), [("notes", 401), ("staff-notes", 403)])
@pytest.mark.parametrize("method", ["get", "head", "post", "options"])
def test_guards_run_before_a_permission_that_could_not_bear_an_anonymous_user(
    path: str, status: int, method: str
) -> None:
    project = make_project()
    assert getattr(APIClient(), method)(f"/projects/{project.pk}/{path}/").status_code == status


def test_on_a_plain_view_the_guard_and_the_permission_both_count() -> None:
    staff, member = make_user(is_staff=True), make_user()
    project = make_project("p", None, member)
    path = f"/projects/{project.pk}/staff-notes/"
    assert basic(staff).get(path).status_code == 403
    assert basic(member).get(path).status_code == 403
    project.members.add(staff)
    assert basic(staff).get(path).status_code == 200


def test_a_row_of_another_project_is_not_found_in_ones_own() -> None:
    ann = make_user()
    mine, note = make_project("mine", None, ann), make_note()
    answers = [signed_in(user=ann).get(f"/projects/{mine.pk}/notes/{pk}/") for pk in (note.pk, note.pk + 1)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content


# -- actions ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/notes/{}/activate/", "/notes/{}/activate.json", "/by-hand/notes/{}/"])
def test_an_action_of_a_row_is_run(path: str) -> None:
    note = make_note()
    answer = signed_in().post(path.format(note.pk))
    assert (answer.status_code, answer.json()["active"]) == (200, True)
    note.refresh_from_db()
    assert note.active
    assert signed_in().post(path.format(note.pk + 1)).status_code == 404


@pytest.mark.parametrize("path", ["/notes/{}/activate/", "/notes/{}/activate.json", "/by-hand/notes/{}/"])
def test_an_action_has_the_guards_of_its_view_however_it_is_routed(path: str) -> None:
    note = make_note()
    path = path.format(note.pk)
    assert APIClient().post(path).status_code == 401
    assert with_key(scopes=["notes:read"]).post(path).status_code == 403
    assert with_key().get(path).status_code == 405
    note.refresh_from_db()
    assert not note.active
    assert with_key(scopes=["notes:write"]).post(path).status_code == 200


@pytest.mark.parametrize("path", ["/notes/stats/", "/notes/stats.json"])
def test_an_action_of_the_list_is_run(path: str) -> None:
    make_note(active=True)
    make_note()
    client = with_key(scopes=["notes:read"])
    assert client.get(path).json() == {"active": 1}
    assert (client.head(path).status_code, client.post(path).status_code) == (200, 403)
    assert signed_in().post(path).status_code == 405


def test_an_action_that_is_sent_again_with_its_key_is_run_once() -> None:
    note, client = make_note(), signed_in()
    path, headers = f"/notes/{note.pk}/activate/", {"Idempotency-Key": "k"}
    first = client.post(path, headers=headers)
    Note.objects.update(active=False)
    again = client.post(path, headers=headers)
    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert not Note.objects.get().active


# -- a base class of the host's own ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/active/", "/active.json", "/active/{}/read/", "/active/{}/read.json"])
def test_a_base_for_staff_is_for_staff_and_filters(path: str) -> None:
    seen, hidden = make_note("seen", active=True), make_note("hidden")
    staff = signed_in(is_staff=True)
    assert "seen" in staff.get(path.format(seen.pk)).json()
    assert "hidden" not in staff.get(path.format(hidden.pk)).content.decode()
    for method in ("get", "head", "options", "post"):
        assert getattr(signed_in(), method)(path.format(seen.pk)).status_code in {403, 405}
        assert getattr(APIClient(), method)(path.format(seen.pk)).status_code == 401
    assert signed_in().get(path.format(seen.pk)).status_code == 403


def test_a_route_written_by_hand_keeps_the_guards() -> None:
    note = make_note("seen", active=True)
    path = f"/by-hand/active/{note.pk}/"
    assert [client.get(path).status_code for client in (APIClient(), signed_in())] == [401, 403]
    assert signed_in(is_staff=True).get(path).json() == "seen"


# -- rows of the caller's tenant -------------------------------------------------------------------------------------


@pytest.fixture
def tenants(settings: Settings) -> tuple[APIClient, Project, Project]:
    """A caller, a project of the caller's organization, and one of another."""
    settings.AUTOMATE_API_TENANT_RESOLVER = "tests.hosts.examples.models.organization_of"
    ann, ours, theirs = make_user(), make_project("ours"), make_project("theirs")
    ours.organization.members.add(ann)
    return basic(ann), ours, theirs


Tenants = tuple[APIClient, Project, Project]


@pytest.mark.parametrize("path", ["/projects/", "/projects.json", "/listed-projects/"])
def test_a_list_has_the_tenants_rows(tenants: Tenants, path: str) -> None:
    client, ours, _theirs = tenants
    assert [row["id"] for row in client.get(path).json()] == [ours.pk]


def test_pages_have_the_tenants_rows(tenants: Tenants) -> None:
    client, ours, theirs = tenants
    newer = make_project("newer", ours.organization)
    make_project("another", theirs.organization)
    first = client.get("/paged-projects/?count=true").json()
    second = client.get(first["next"]).json()
    assert [row["id"] for page in (first, second) for row in page["results"]] == [newer.pk, ours.pk]
    assert (first["count"], second["next"]) == (2, None)


@pytest.mark.parametrize("path", ["/projects/{}/", "/projects/{}.json", "/projects/{}/letters/"])
@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete"])
def test_another_tenants_row_answers_like_an_absent_one(tenants: Tenants, method: str, path: str) -> None:
    client, _ours, theirs = tenants
    body = ({"name": "taken"},) if method in {"put", "patch"} else ()
    answers = [getattr(client, method)(path.format(pk), *body, format="json") for pk in (theirs.pk, theirs.pk + 1)]
    missing = 405 if "letters" in path and method not in {"get", "head"} else 404
    assert answers[0].status_code == answers[1].status_code == missing
    assert answers[0].content == answers[1].content
    theirs.refresh_from_db()
    assert theirs.name == "theirs"


@pytest.mark.parametrize("form", ["json", "multipart"])
@pytest.mark.parametrize("path", ["/projects/", "/paged-projects/", "/listed-projects/"])
def test_a_new_row_is_stamped_whatever_the_body_says(tenants: Tenants, path: str, form: str) -> None:
    client, ours, theirs = tenants
    for body in ({"name": "new"}, {"name": "new", "organization": theirs.organization_id}):
        answer = client.post(path, body, format=form)
        assert answer.status_code == 201, answer.content
        assert Project.objects.get(pk=answer.json()["id"]).organization_id == ours.organization_id


@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_changed_row_stays_in_its_tenant(tenants: Tenants, method: str) -> None:
    client, ours, theirs = tenants
    body = {"name": "changed", "organization": theirs.organization_id}
    assert getattr(client, method)(f"/projects/{ours.pk}/", body, format="json").status_code == 200
    before = ours.organization_id
    ours.refresh_from_db()
    assert (ours.name, ours.organization_id) == ("changed", before)


def test_who_has_no_tenant_has_no_rows_and_makes_none(tenants: Tenants) -> None:
    for client in (basic(), APIClient(), basic(make_user(is_staff=True, is_superuser=True))):
        assert client.get("/projects/").json() == []
        assert client.get(f"/projects/{tenants[1].pk}/").status_code == 404
        assert client.post("/projects/", {"name": "new"}, format="json").status_code in {401, 403}
    assert Project.objects.count() == 2


def test_a_tenant_that_the_column_cannot_hold_has_no_rows(settings: Settings) -> None:
    make_project()
    assert basic().get("/projects/").json() == []
    settings.AUTOMATE_API_TENANT_RESOLVER = "automate_api.tenancy.single_tenant"
    assert basic().get("/projects/").json() == []


def test_a_browser_is_shown_the_tenants_rows_in_forms_too(tenants: Tenants) -> None:
    client, ours, theirs = tenants
    page = client.get(f"/projects/{ours.pk}/", headers={"Accept": "text/html"})
    assert page.headers["Content-Type"].startswith("text/html")
    assert ours.name in page.content.decode()
    assert theirs.name not in client.get("/projects/", headers={"Accept": "text/html"}).content.decode()


# -- for everybody, for other origins, for so and so often, by a setting ---------------------------------------------


def test_a_public_view_is_open_and_limited() -> None:
    path = "/public/"
    answers = [APIClient().get(path) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert answers[0].json() == {"hello": "world"}
    assert basic().get(path).status_code == 429
    assert {"Retry-After", "RateLimit", "RateLimit-Policy"} <= set(answers[10].headers)


def test_a_public_view_is_open_where_the_host_demands_a_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(APIView, "permission_classes", [IsAuthenticated])
    assert APIClient().get("/public/").status_code == 200
    assert APIClient().get("/configured/").status_code == 403


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_page_of_a_named_origin_may_call(method: str) -> None:
    asked = APIClient().options("/cross-origin/", headers={"Origin": APP, "Access-Control-Request-Method": method})
    assert (asked.status_code, asked.headers["Access-Control-Allow-Origin"]) == (204, APP)
    assert method in asked.headers["Access-Control-Allow-Methods"]
    answer = APIClient().generic(method, "/cross-origin/", headers={"Origin": APP})
    assert answer.headers["Access-Control-Allow-Origin"] == APP
    assert "Origin" in answer.headers["Vary"]


def test_a_page_of_another_origin_may_not_and_by_default_none_may() -> None:
    for path, origin in (("/cross-origin/", "https://evil.example"), ("/same-origin/", APP)):
        asked = APIClient().options(path, headers={"Origin": origin, "Access-Control-Request-Method": "GET"})
        for answer in (asked, APIClient().get(path, headers={"Origin": origin})):
            assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_hundred_an_hour_for_each_user() -> None:
    client = signed_in()
    assert {client.get("/limited/").status_code for _ in range(100)} == {200}
    answer = client.get("/limited/")
    assert answer.status_code == 429
    assert answer.headers["RateLimit-Policy"] == '"MyViewSet";q=100;w=3600'
    assert int(answer.headers["Retry-After"]) <= 3600
    assert signed_in().get("/limited/").status_code == 200
    assert APIClient().get("/limited/").status_code == 200


def test_views_of_one_name_in_different_modules_have_counts_of_their_own() -> None:
    client = signed_in()
    client.get("/limited/")
    assert "RateLimit" not in client.get("/configured/").headers


def test_a_setting_is_read_with_a_default(settings: Settings) -> None:
    assert APIClient().get("/configured/").json() == {"page_size": 25}
    settings.AUTOMATE_API_PAGE_SIZE = 7
    assert APIClient().get("/configured/").json() == {"page_size": 7}


# -- a viewset of the package's below a default router ---------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["/", ".json"])
def test_a_subclass_of_a_packages_viewset_lists_and_retrieves(suffix: str) -> None:
    made = [make_endpoint() for _ in range(3)]
    client = signed_in()
    answer = client.get(f"/endpoints{suffix}?verbose=yes")
    assert [row["id"] for row in answer.json()["results"]] == [made[2].pk, made[1].pk]
    assert answer.headers["X-Verbose"] == "yes"
    assert client.get(f"/endpoints{suffix}?unknown=yes").status_code == 400
    for name in (made[0].pk, made[0].slug):
        assert client.get(f"/endpoints/{name}{suffix}").json()["id"] == made[0].pk


@pytest.mark.parametrize("suffix", ["/", ".json"])
def test_a_subclass_of_a_packages_viewset_makes_and_runs(suffix: str) -> None:
    endpoint = make_endpoint()
    client = signed_in()
    assert client.post(f"/endpoints/{endpoint.slug}/run{suffix}", {}, format="json").status_code == 400
    assert client.post(f"/endpoints/nothing/run{suffix}", {"input": "x"}, format="json").status_code == 404
    body = {"name": "New", "task_types": ["llm.chat"], "llm_client": endpoint.llm_client_id}
    assert client.post(f"/endpoints{suffix}", body, format="json").status_code == 403
    owner = signed_in(is_staff=True)
    assert owner.post(f"/endpoints{suffix}", body, format="json").status_code == 201
    assert APIClient().post(f"/endpoints{suffix}", body, format="json").status_code == 401
    assert Endpoint.objects.count() == 2


@pytest.mark.parametrize("suffix", ["/", ".json"])
def test_workflows_of_a_host_have_a_service_of_its_own(suffix: str) -> None:
    staff, member = with_key(is_staff=True), with_key()
    notes = [{"name": f"note_{n}", "type": "set", "with": {"values": {}}, "next": [f"note_{n + 1}"]} for n in range(2)]
    last = {"name": "note_2", "type": "set", "with": {"values": {}}}
    many = {"name": "Many", "definition": {"steps": [*notes, last]}}
    refused = staff.post(f"/workflows{suffix}", many, format="json")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "too_many")
    made = staff.post(f"/workflows{suffix}", {"name": "Few", "definition": {"steps": [last]}}, format="json")
    assert made.status_code == 201
    path = f"/workflows/{made.json()['id']}"
    assert staff.post(f"{path}/validate{suffix}", many, format="json").json()["valid"] is False
    begun = staff.post(f"{path}/run{suffix}", {}, format="json")
    # The host has the package's routes too.
    assert (begun.status_code, staff.get(begun["Location"]).json()["status"]) == (202, "succeeded")
    assert member.get(f"{path}{suffix}").status_code == 403


@pytest.mark.parametrize("path", ["/notes.xml", "/notes/{}.html", "/notes/{}/activate.xml", "/endpoints.xml"])
def test_a_format_that_there_is_not_is_a_404(path: str) -> None:
    assert signed_in().get(path.format(make_note().pk)).status_code == 404


def test_the_default_routers_index_names_the_lists() -> None:
    index = APIClient().get("/").json()
    assert index["endpoints"] == "http://testserver/endpoints/"
    assert set(index) >= {"notes", "active", "projects", "public", "limited", "configured"}
