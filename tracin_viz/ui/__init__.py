"""Everything that draws: components, charts, routes and the strings of the pages."""
