"""How errors are written: as problems, but where a route speaks another protocol."""

from typing import Any

JSON, PROBLEM = "application/json", "application/problem+json"
#: Where the test host mounts the façade, and the organization routes.
OPENAI, ORGANIZATIONS = "/openai/", "/v1/"


def is_error(path: str, status: int, content_type: str, data: Any) -> bool:
    """Whether an answer from `path` says what is wrong, in the form that is promised there."""
    if not isinstance(data, dict):
        return False
    if path.startswith(OPENAI):
        return content_type == JSON and data.keys() == {"error"} and _is_openai_error(data["error"])
    if path.startswith(ORGANIZATIONS):
        return content_type == JSON and data.keys() == {"detail", "code"} and all(map(_says, data.values()))
    told = [data, *data.get("errors", ())]
    complete = {"type", "title", "status", "detail", "code"} <= data.keys() and data["status"] == status
    return content_type == PROBLEM and complete and all(_says(one["detail"]) and one["code"] for one in told)


def _is_openai_error(error: Any) -> bool:
    complete = error.keys() == {"message", "type", "param", "code"}
    return complete and all(map(_says, (error["message"], error["type"], error["code"])))


def _says(text: Any) -> bool:
    return isinstance(text, str) and text != ""


def wrong_fields(path: str, data: Any) -> set[str]:
    """The members of a body that an error names."""
    if path.startswith(OPENAI):
        return {data["error"]["param"].partition(".")[0]}
    return {error["field"].partition(".")[0] for error in data["errors"]}
