"""Tools for language-model agents, served by `deardiary mcp` over the Model Context Protocol."""
