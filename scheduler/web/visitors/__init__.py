"""Visitors of a page: their admission, their kernels, and the messages between the two."""
