"""Lists, single rows and creation beside plain Django REST framework and django-ninja."""
