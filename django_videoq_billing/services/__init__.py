"""The business moves. Entry points (decorator, views, commands, admin) are skins on these."""
