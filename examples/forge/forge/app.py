"""Composition: one Flask application from its parts."""

from flask import Flask
from forge import web
from forge.auth.views import auth
from forge.billing.views import billing
from forge.config import Config
from forge.db import create
from forge.studio.views import studio
from forge.support.kit import kit_create

from hostkit.wsgi import KriptikMiddleware


def create_app(config: Config) -> Flask:
    create(config.database)
    app = Flask(__name__)
    app.config["FORGE"] = config
    web.install(app)
    app.register_blueprint(auth)
    app.register_blueprint(studio)
    app.register_blueprint(billing)
    kit = app.extensions["hostkit"] = kit_create(config)
    app.wsgi_app = KriptikMiddleware(app.wsgi_app, kit)  # type: ignore[method-assign]
    return app
