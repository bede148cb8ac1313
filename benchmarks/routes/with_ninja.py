"""django-ninja: bearer token, tenant by hand, a filter, pages with a count; with its throttle and without."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Field, NinjaAPI, Schema
from ninja.pagination import PageNumberPagination, paginate
from ninja.security import HttpBearer
from ninja.throttling import AuthRateThrottle
from rest_framework.authtoken.models import Token

from benchmarks.routes.models import Item, tenant_of


class BearerToken(HttpBearer):
    """REST framework's tokens."""

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        """The token's user."""
        found = Token.objects.select_related("user").filter(key=token, user__is_active=True).first()
        return None if found is None else found.user


class ItemOut(Schema):
    """An item as read."""

    id: int
    category: int = Field(alias="category_id")
    category_name: str = Field(alias="category.name")
    status: str
    title: str
    asked: int
    answered: int
    payload: Any
    note: str
    created_at: datetime
    finished_at: datetime | None


class ItemIn(Schema):
    """An item as written."""

    category: int
    status: str = Field(max_length=16)
    title: str = Field(max_length=60)
    asked: int
    answered: int
    payload: Any = None
    note: str = ""
    created_at: datetime | None = None
    finished_at: datetime | None = None


def _rows(request: Any) -> QuerySet[Item]:
    rows = Item.objects.select_related("category").order_by("-created_at", "-pk")
    return rows.filter(tenant_id=tenant_of(request.auth))


def _api(name: str, **options: Any) -> NinjaAPI:
    api = NinjaAPI(auth=BearerToken(), urls_namespace=name, docs_url=None, openapi_url=None, **options)

    @api.get("items", response=list[ItemOut])
    @paginate(PageNumberPagination, page_size=25)
    def list_items(request: HttpRequest, category: int | None = None, status: str | None = None) -> Any:
        wanted = {"category": category, "status": status}
        return _rows(request).filter(**{name: value for name, value in wanted.items() if value is not None})

    @api.get("items/{pk}", response=ItemOut)
    def get_item(request: HttpRequest, pk: int) -> Any:
        return get_object_or_404(_rows(request), pk=pk)

    @api.post("items", response={201: ItemOut})
    def create_item(request: Any, data: ItemIn) -> Any:
        values = data.dict(exclude_none=True)
        return 201, Item.objects.create(tenant_id=tenant_of(request.auth), category_id=values.pop("category"), **values)

    @api.get("ping")
    def ping(request: HttpRequest) -> Any:
        return {"ok": True}

    return api


api = _api("ninja")
throttled = _api("ninja-throttled", throttle=[AuthRateThrottle("100000/d")])
