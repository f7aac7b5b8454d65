"""What the web server loads: ``app.wsgi:application``."""

from __future__ import annotations

from app.core.config import Config
from app.factory import build_runtime
from app.factory.web import create_flask_app

application = create_flask_app(build_runtime(Config.from_env()))
