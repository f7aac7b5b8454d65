"""What surrounds every page of a workspace: names, rights, navigation, the member's theme and density."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias, cast

if TYPE_CHECKING:
    from datetime import datetime

    from flask import Flask

#: Themes and densities a member may choose; "system" follows the device.
THEMES: Final = ("system", "light", "dark")
DENSITIES: Final = ("comfortable", "compact")
_KEY: Final = "rapport_ui_shell"


@dataclass(frozen=True, slots=True)
class NavItem:
    """A line of the left rail. ``section`` marks the current page, ``key`` goes there after g."""

    section: str
    label: str
    icon: str
    href: str
    count: int | None = None
    key: str = ""


def _nothing(object_name: str) -> frozenset[str]:  # noqa: ARG001
    return frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """The frame of a workspace page. The default is what a page outside a workspace gets."""

    workspace: str = "Rapport"
    slug: str = ""
    member: str = ""
    email: str = ""
    theme: str = "system"
    density: str = "comfortable"
    locale: str = "en"
    timezone: str = "UTC"
    currency: str = "EUR"
    #: Those offered for amounts, the workspace's own first.
    currencies: tuple[str, ...] = ()
    rights: frozenset[str] = frozenset()
    rights_with: Callable[[str], frozenset[str]] = _nothing
    objects: tuple[NavItem, ...] = ()
    base_url: str = "/"
    creatable: tuple[NavItem, ...] = field(default=())
    shortcuts: bool = True
    #: Until when a session of support lasts; None for members.
    support_until: datetime | None = None

    def may(self, right: str, object_name: str = "") -> bool:
        """Whether the member holds ``right`` here, or with an object; controls without it are not shown."""
        return right in (self.rights_with(object_name) if object_name else self.rights)

    def may_somewhere(self, right: str) -> bool:
        """Whether the member holds ``right`` at all: for what stands on every page."""
        return right in self.rights_with("")


#: Builds the shell of the current request, or None outside a workspace.
ShellBuilder: TypeAlias = Callable[[], Shell | None]


def provide(flask_app: Flask, builder: ShellBuilder) -> None:
    """Bind who knows tenant, member and catalog; the records' pages do that when they are registered."""
    flask_app.extensions[_KEY] = builder


def build(flask_app: Flask) -> Shell:
    """The shell of the current request."""
    builder = cast("ShellBuilder | None", flask_app.extensions.get(_KEY))
    shell = builder() if builder is not None else None
    return shell or Shell()
