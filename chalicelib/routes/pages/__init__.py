"""Pages for browsers, with their scripts and styles: text assets that the server itself serves."""
