"""The database itself: connections, COPY, migrations, roles, locks."""
