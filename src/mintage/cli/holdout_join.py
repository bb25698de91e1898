"""Add this machine's keys to trust.yaml as a witness's, for a review."""

from __future__ import annotations

from mintage.attest.trust import Role, parse_trust, render_trust
from mintage.audit.keyfile import ensure_audit_key
from mintage.cli.console import emit_json, say
from mintage.cli.context import Context
from mintage.cli.new_file import show_change
from mintage.errors import FileMalformedError, RefusedError
from mintage.store.publish import publish_bytes

__all__ = ["join"]

_ROLES: tuple[Role, ...] = ("witness", "certificate")


def join(context: Context, name: str, *, as_json: bool) -> int:
    """Write the keys under ``name`` and ``name``-log; raises RefusedError where they or the names are there already."""
    path = context.workspace.root / "trust.yaml"
    known = {trusted.name: trusted for trusted in context.trust.keys}
    there = context.trust.name_of(context.signer.key_id)
    if there is not None or name in known:
        taken = known[there or name]
        raise RefusedError(
            f"trust.yaml has {'this key' if there else 'the name'} already",
            found=f"{taken.name}: {', '.join(taken.roles)}",
            where=str(path),
            hint="a witness is another person, with a clone and a key of his own; change roles by hand, in review",
        )
    log_key = ensure_audit_key(context.workspace.keys_dir)
    keys = {name: (context.signer.public_pem, _ROLES), f"{name}-log": (log_key.public_pem, ("checkpoint",))}
    old = path.read_text(encoding="utf-8")
    lines = render_trust({key: (pem, list(roles)) for key, (pem, roles) in keys.items()}).partition("keys:\n")[2]
    new = old.rstrip("\n") + "\n" + lines
    try:
        parse_trust(new.encode(), where=str(path))
    except FileMalformedError as error:
        raise RefusedError(
            "the keys cannot be added at the end of trust.yaml",
            found=error.message,
            where=str(path),
            hint=f"add {context.workspace.keys_dir / 'project.pem.pub'} by hand, with roles: [{', '.join(_ROLES)}]",
        ) from error
    publish_bytes(path, new.encode())
    if as_json:
        emit_json({"name": name, "key": context.signer.key_id, "roles": list(_ROLES)})
        return 0
    show_change("trust.yaml", old, new)
    say(f"Have it reviewed and committed: from then on {name} witnesses policies and holds sealed hold-outs.")
    return 0
