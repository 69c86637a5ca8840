"""A visitor of a page: admitted while there is room, with a kernel of their own."""
