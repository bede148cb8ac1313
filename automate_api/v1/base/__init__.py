"""Base classes and mixins for API views, for this package and for its hosts."""

from automate_api.v1.base.configurable import ConfigurableMixin
from automate_api.v1.base.cors import CORSMixin
from automate_api.v1.base.maintenance import MaintenanceMixin
from automate_api.v1.base.paginated import PaginationMixin
from automate_api.v1.base.public import PublicAPIMixin
from automate_api.v1.base.rate_limit import RateLimitMixin
from automate_api.v1.base.staff import StaffOnlyMixin
from automate_api.v1.base.tenant import TenantFilterMixin
from automate_api.v1.base.views import BaseAPIView, BaseModelViewSet, BaseReadOnlyViewSet, BaseViewSet

__all__ = [
    "BaseAPIView",
    "BaseModelViewSet",
    "BaseReadOnlyViewSet",
    "BaseViewSet",
    "CORSMixin",
    "ConfigurableMixin",
    "MaintenanceMixin",
    "PaginationMixin",
    "PublicAPIMixin",
    "RateLimitMixin",
    "StaffOnlyMixin",
    "TenantFilterMixin",
]
