"""The weights of the runs at hand, at addresses that name their content, for a browser that decodes.

An address never holds other bytes, so that a browser fetches it once and keeps it.
"""

from collections import OrderedDict
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

MOST_HELD = 16
"""Runs of which the server keeps the bytes, 3.5 MB each for `digits`."""
HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Encoding": "identity",  # half floats hardly shrink, and would be packed at each fetch
}
_HELD: "OrderedDict[str, bytes]" = OrderedDict()


@dataclass(frozen=True)
class Packed:
    """A run as `export.arrays` packs it, and the address of these bytes."""

    address: str
    data: bytes


def hold(packed: Packed) -> str:
    """Give out a run's bytes from now on; the path below the app's own address."""
    _HELD[packed.address] = packed.data
    _HELD.move_to_end(packed.address)
    while len(_HELD) > MOST_HELD:
        _HELD.popitem(last=False)
    return f"weights/{packed.address}.bin"


async def given(request: Request) -> Response:
    """The bytes of an address, 404 where it is none of those held."""
    data = _HELD.get(request.path_params["address"])
    if data is None:
        return Response(status_code=404)
    return Response(data, media_type="application/octet-stream", headers=HEADERS)


ROUTE = Route("/weights/{address}.bin", given, methods=["GET"])
