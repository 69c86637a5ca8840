"""The widgets of a page: controls, charts and boxes, and how they reach the browser."""
