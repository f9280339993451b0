"""What an entry says: who may write it, who sees it, what its preview is."""

import re
import uuid

TEXT_BYTES = 16 * 1024
FRAME_BYTES = 128 * 1024
PREVIEW_CHARS = 140
ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

PUBLIC = {"text", "wait", "amend", "file"}
MESSAGES = {"text", "file"}
WRITERS = {
    "text": {"provider", "patient"},
    "amend": {"provider", "patient"},
    "file": {"provider", "patient"},
    "note": {"provider"},
    "outcome": {"provider"},
    "assign": {"provider"},
    "state": {"provider"},
    "wait": set(),
    "suggestion": set(),
}


class Refused(Exception):
    """Why a frame isn't done: a code of the protocol, and words for developers."""

    def __init__(self, code, message, retry_after_ms=None):
        super().__init__(code)
        self.error = {"code": code, "message": message}
        if retry_after_ms is not None:
            self.error["retry_after_ms"] = retry_after_ms


def invalid(message="fields are missing or wrong"):
    return Refused("invalid", message)


def field(data, name, *types):
    """The field of a frame, of one of the types."""
    if not isinstance(data, dict) or name not in data:
        raise invalid()
    value = data[name]
    # In Python True is a number.
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise invalid()
    return value


def number(data, name):
    value = field(data, name, int)
    if not 0 <= value < 2**53:
        raise invalid()
    return value


def text_id(data, name):
    value = field(data, name, str)
    if not ID.fullmatch(value):
        raise invalid()
    return value


def entry_id(data, name):
    try:
        value = uuid.UUID(field(data, name, str))
    except ValueError:
        raise invalid() from None
    if value.version != 7:
        raise invalid("an entry's id is a UUID of version 7")
    return str(value)


def text(body):
    value = field(body, "text", str)
    if not value.strip():
        raise invalid("the text is empty")
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise invalid("the text is no Unicode") from None
    if size > TEXT_BYTES:
        raise Refused("too_large", f"a text has at most {TEXT_BYTES} bytes")
    return value


def check(body):
    """The kind of a body that is whole. Anything else is refused."""
    kind = field(body, "kind", str)
    match kind:
        case "text" | "note":
            text(body)
        case "amend":
            entry_id(body, "target")
            if field(body, "text", str, type(None)) is not None:
                text(body)
        case "file":
            if not re.fullmatch(r"[0-9a-f]{64}", field(body, "sha256", str)):
                raise invalid()
            if not 0 < len(field(body, "name", str)) <= 255 or not field(body, "media_type", str):
                raise invalid()
            number(body, "bytes")
        case "assign":
            if field(body, "to", str, type(None)) is not None:
                text_id(body, "to")
        case "state":
            if field(body, "state", str) not in {"open", "snoozed", "closed"}:
                raise invalid()
            if (body["state"] == "snoozed") != ("until" in body):
                raise invalid()
            if "until" in body:
                number(body, "until")
        case "outcome":
            entry_id(body, "suggestion")
            number(body, "item")
            number(body, "shown_ms")
            if field(body, "result", str) not in {"used", "edited", "dismissed"}:
                raise invalid()
        case _ if kind not in WRITERS:
            raise invalid("the body's kind is unknown")
    return kind


def preview(body):
    """What it says in one plain line."""
    match body["kind"]:
        case "text" | "wait":
            line = body["text"]
        case "amend":
            line = "Took a message back" if body["text"] is None else f"Corrected: {body['text']}"
        case "file":
            line = f"File: {body['name']}"
        case "note":
            line = f"Note: {body['text']}"
        case "assign":
            line = "Assigned" if body["to"] else "Unassigned"
        case "state":
            line = {"open": "Opened", "snoozed": "Snoozed", "closed": "Closed"}[body["state"]]
        case kind:
            line = kind.capitalize()
    line = " ".join(line.split())
    return line if len(line) <= PREVIEW_CHARS else line[: PREVIEW_CHARS - 1].rstrip() + "…"
