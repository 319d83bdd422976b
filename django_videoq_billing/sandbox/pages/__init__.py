"""Pages for people."""
from starlette.routing import BaseRoute
ROUTES: list[BaseRoute] = []
