"""Everything that knows the database: connection, tables, migrations, demo data."""
