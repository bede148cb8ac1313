"""Lists in pages."""

from rest_framework.pagination import BasePagination

from automate_api.v1.base.order import ViewMixin
from automate_api.v1.pagination import KeysetPagination


class PaginationMixin(ViewMixin):
    """Keyset pages: `?cursor=&page_size=` and `{"next", "previous", "results"}`.

    Override:
        page_size (25): rows on a page when the caller does not say.
        max_page_size (200): the most a caller may ask for; more is a 400.
    """

    pagination_class: type[BasePagination] | None = KeysetPagination
    page_size = 25
    max_page_size = 200
