"""/health: whether the page answers, and how many run and wait. It needs no thread and no login."""

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

PATH = "/health"


def route(page) -> Route:
    """The route, for the app of this page (a gr.Blocks that has a queue)."""

    async def health(_: Request) -> JSONResponse:
        queue = page._queue
        told = {"status": "ok", "running": queue.get_active_worker_count(), "waiting": len(queue)}
        return JSONResponse(told, headers={"cache-control": "no-store"})

    return Route(PATH, health)
