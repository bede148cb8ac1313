"""Events: a thousand in a request and one, beside plain REST framework and django-ninja."""
