"""The icons an object may have: names of Lucide that every page can draw.

The same as in ``app/ui/frontend/icons.txt``, of which the sprite is built; a test keeps them so.
"""

from __future__ import annotations

from typing import Final

_NAMES: Final = """
    align-left arrow-down arrow-right-left arrow-up arrow-up-right badge-check banknote blocks bold book-open
    bookmark boxes briefcase building-2 calendar calendar-clock calendar-days chart-pie check chevron-down
    chevron-left chevron-right chevron-up chevrons-left chevrons-up-down church circle circle-check circle-dashed
    circle-dot circle-x clock code cog coins columns-3 contact credit-card download ellipsis factory file-text
    flag gavel gift git-branch globe graduation-cap grip-vertical hammer hand-heart handshake hash heart history
    hourglass house image info italic kanban key-round keyboard landmark leaf life-buoy link link-2 list
    list-checks list-filter list-ordered log-in log-out mail map-pin map-pin-house megaphone menu message-square
    messages-square monitor moon package paperclip pencil percent phone plane plus printer receipt repeat
    rotate-ccw rows-3 scale school search send settings shapes share-2 shield ship sliders-horizontal sparkles
    square-check star stethoscope sticky-note sun table tag target text-quote ticket toggle-left trash-2
    triangle-alert trophy truck type upload user user-plus users video wallet warehouse wrench x
"""
ICONS: Final = tuple(_NAMES.split())
