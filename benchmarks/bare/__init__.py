"""What one would write without the package: one REST framework view that passes a request on with httpx."""
